"""The process in which dbt works for a run: it parses the project once, then builds the selections that are requested on its input.

A request is a line of JSON on the standard input: the arguments of a dbt command. On the standard output there are dbt's events, a line of
JSON each, and one answer to the start and to each request, a line of JSON with the key `answer`. The end of the input ends the process, also
in the middle of its work: the run that started it has ended, or was killed.

`pipelines.warehouse.dbt` starts this module. Nothing else imports it, because dbt takes seconds to import.
"""

from __future__ import annotations

import contextlib
import gc
import io
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
SILENT = ["--log-level", "none", "--no-use-colors"]
NO_ARTIFACTS = ["--no-write-json"]
"""dbt writes neither its manifest again, which takes a second, nor its results, which get better messages first."""
OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main(project: Path, manifest_file: Path, parsed_file: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches both processes; the run decides
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    gc.disable()  # until `_warm_up`: what is imported and read from a file stays, and looking for garbage in it takes time
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunner

    _ignore_debug_events()
    target = Path(os.environ["DBT_TARGET_PATH"])
    try:
        manifest = _manifest(project, manifest_file, parsed_file)
    except Exception as error:
        _answer(success=False, error=str(error))
        return
    _answer(success=True)
    _warm_up(manifest, project)
    while True:
        arguments = json.loads(requests.get())
        command = [*SILENT, *NO_ARTIFACTS, *arguments, "--project-dir", str(project)]
        result = dbtRunner(manifest, callbacks=[_print_event]).invoke(command)
        if isinstance(result.result, RunExecutionResult):
            _name_broken_rules(result.result.results)
            result.result.write(str(target / "run_results.json"))
        _let_go_of_the_warehouse()
        _answer(success=result.success, error=str(result.exception or ""))


def _read_requests(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _print_event(event: Any) -> None:
    """Print an event of dbt as it does with `--log-format json`."""
    from dbt_common.events.functions import msg_to_json

    _print(msg_to_json(event))


def _ignore_debug_events() -> None:
    """Let dbt drop its debug events, more than twenty for each model, before it makes messages of them that nobody reads."""
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    class WithoutDebugEvents(EventManager):
        def fire_event(self, e: BaseEvent, level: EventLevel | None = None, *others: Any, **options: Any) -> None:
            if (level or e.level_tag()) != EventLevel.DEBUG:
                super().fire_event(e, level, *others, **options)

    ctx_set_event_manager(WithoutDebugEvents())


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
        with contextlib.suppress(Exception):  # a damaged file, whatever the decoder says of it; the project is parsed again
            manifest = Manifest.from_msgpack(parsed_file.read_bytes(), decoder=extended_mashumuro_decoder)
            manifest.build_flat_graph()  # the variable `graph` of macros
            return manifest
    gc.enable()
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


def _warm_up(manifest: Any, project: Path) -> None:
    """Do what dbt does once in a process, while the run that started it reads its sources. The warehouse stays closed."""
    from dbt.cli.main import dbtRunner

    command = [*SILENT, *NO_ARTIFACTS, "--quiet", "list", "--select", "source:statistics", "--project-dir", str(project)]
    with contextlib.redirect_stdout(io.StringIO()):
        dbtRunner(manifest).invoke(command)
    gc.collect()
    gc.freeze()  # the parsed project stays as it is: looking through it for garbage would only take time
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()


def _name_broken_rules(results: Any) -> None:
    """Let the message of each failed `valid` test name the broken rules, where dbt's own message has only a number of rows."""
    from dbt.adapters.factory import FACTORY

    for result in results:
        test = getattr(result.node, "test_metadata", None)
        if test is not None and test.name == "valid" and result.status in ("warn", "fail"):
            adapter: Any = next(iter(FACTORY.adapters.values()))  # dbt has one at a time
            with adapter.connection_named("broken_rules"):
                _, rules = adapter.execute(result.node.compiled_code, fetch=True)
            result.message = "; ".join(
                f"{column}: {rule} does not hold for {rows} row{'' if rows == 1 else 's'}" for column, rule, rows in rules.rows
            )


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
