"""The process in which dbt works for a run: it parses the project once, then builds the selections that are requested on its input.

A request is a line of JSON on the standard input: the arguments of a dbt command. On the standard output there are dbt's events, a line of
JSON each, and one answer to the start and to each request, a line of JSON with the key `answer`. The end of the input ends the process, also
in the middle of its work: the run that started it has ended, or was killed.

`pipelines.warehouse.dbt` starts this module. Nothing else imports it, because dbt takes seconds to import.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pipelines.core import atomic

KEPT_SECONDS = 30 * 24 * 3600
SILENT = ["--log-level", "none"]


def main(project: Path, manifest_file: Path, parsed_file: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches both processes; the run decides
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    from dbt.cli.main import dbtRunner

    try:
        manifest = _manifest(project, manifest_file, parsed_file)
    except Exception as error:
        _answer(success=False, error=str(error))
        return
    _answer(success=True)
    while True:
        arguments = json.loads(requests.get())
        result = dbtRunner(manifest, callbacks=[_print_event]).invoke([*SILENT, *arguments, "--project-dir", str(project)])
        _let_go_of_the_warehouse()
        _answer(success=result.success, error=str(result.exception or ""))


def _read_requests(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _print_event(event: Any) -> None:
    """Print an event of dbt as it does with `--log-format json`, which also writes out all the events that it does not print."""
    if event.info.level in ("info", "warn", "error"):
        from dbt_common.events.functions import msg_to_json

        _print(msg_to_json(event))


def _answer(**content: Any) -> None:
    _print(json.dumps({"answer": content}))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")  # in one piece: dbt has several threads
    sys.stdout.flush()


def _manifest(project: Path, manifest_file: Path, parsed_file: Path) -> Any:
    """Return the parsed project from its file, or parse it and write the file, and the manifest as JSON for other processes."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder

    if manifest_file.is_file() and parsed_file.is_file():
        manifest = Manifest.from_msgpack(parsed_file.read_bytes(), decoder=extended_mashumuro_decoder)
        manifest.build_flat_graph()  # the variable `graph` of macros
        return manifest
    result = dbtRunner().invoke([*SILENT, "--no-partial-parse", "parse", "--project-dir", str(project)])
    if not isinstance(result.result, Manifest):
        raise result.exception or RuntimeError("dbt gives no reason")
    with atomic.atomic_write(parsed_file) as path:
        path.write_bytes(result.result.to_msgpack(extended_mashumaro_encoder))
    with atomic.atomic_write(manifest_file) as path:
        path.write_bytes((Path(os.environ["DBT_TARGET_PATH"]) / "manifest.json").read_bytes())
    _remove_old(parsed_file.parent)
    return result.result


def _remove_old(folder: Path) -> None:
    """Remove parsed projects of a month ago and earlier from the cache: they are of other versions, or will be parsed again."""
    for path in (*folder.glob("manifest-*.json"), *folder.glob("parsed-*.msgpack")):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()


def _let_go_of_the_warehouse() -> None:
    """Close the database: the profile keeps it open as long as dbt works, and other processes read it between two selections.

    A session of Spark stays: it takes long to start, and other processes read the files that it has written.
    """
    from dbt.adapters.factory import reset_adapters

    reset_adapters()
    if os.environ["ZPO2_ENGINE"] == "spark":
        return
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
    gc.collect()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
