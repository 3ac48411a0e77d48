"""Measure how fast what happens gets through: pushed events against the bare floor, a day of many batches, a tick that finds nothing, a change.

Prints Markdown. The third part runs packs/cz where the mirror of its files is (`../shared/data/mirror`, or `ZPO2_MIRROR`), else packs/demo.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from pipelines.orchestration.sensors import PUBLISH_INTERVAL  # noqa: E402
from tests.support import five_places, happenings  # noqa: E402

EVENTS, CLIENTS, BATCH = 10_000, 8, 100
DAY_BATCHES, DAY_BATCH = 1_000, 10
SOURCES = 100
RUNNING = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="What to measure; default: all.")
    chosen = parser.parse_args().parts or ["push", "batches", "daemon", "tick", "change"]
    print("| what | measured | against | ratio | aim |\n| --- | ---: | ---: | ---: | --- |")
    parts = (("push", pushed), ("batches", day_of_batches), ("daemon", to_the_release), ("tick", idle_tick), ("change", one_source_change))
    for name, measure in parts:
        if name in chosen:
            with tempfile.TemporaryDirectory(prefix="zpo2-bench-") as folder:
                for line in measure(Path(folder)):
                    print(line, flush=True)
    return 0


# ------------------------------------------------------------------------------------------------------------------------- events


def pushed(folder: Path) -> Iterator[str]:
    """Events a second: the receiver with some clients, against one process that appends the same bytes and flushes every batch."""
    bodies = [happenings.body([happenings.event(n) for n in range(i, i + BATCH)]) for i in range(0, EVENTS, BATCH)]
    began = time.monotonic()
    with (folder / "floor").open("wb") as file:
        for body in bodies:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    floor = EVENTS / (time.monotonic() - began)
    pack = happenings.write(folder / "pack")
    with receiver(pack, folder / "home") as url:
        batches = _seconds(lambda: _post_all(url, bodies, "application/cloudevents-batch+json"))
        singles = [json.dumps(happenings.event(n)).encode() for n in range(EVENTS, EVENTS + 2000)]
        alone = _seconds(lambda: _post_all(url, singles, "application/cloudevents+json"))
    yield _line(f"{EVENTS:,} events in batches of {BATCH}, {CLIENTS} clients", f"{EVENTS / batches:,.0f} /s", f"{floor:,.0f} /s (fsync a batch)",
                f"{EVENTS / batches / floor:.3f}")  # fmt: skip
    yield _line(f"{len(singles):,} events one by one, {CLIENTS} clients", f"{len(singles) / alone:,.0f} /s", "", "")


def _post_all(url: str, bodies: list[bytes], kind: str) -> None:
    headers = {"Content-Type": kind, "Authorization": f"Bearer {happenings.SECRET}"}
    local = threading.local()

    def post(body: bytes) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        answer = local.session.post(f"{url}/events", data=body, headers=headers, timeout=60)
        if answer.status_code != 202:
            raise SystemExit(f"{answer.status_code}: {answer.text}")

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(post, bodies))


@contextmanager
def receiver(pack: Path, home: Path) -> Iterator[str]:
    port = _free_port()
    command = ["serve-events", "--pack", str(pack), "--home", str(home), "--port", str(port), "--per-second", "100000"]
    process = subprocess.Popen(_zpo2(*command), env=_environment(), stdout=subprocess.DEVNULL)
    try:
        _until(lambda: _answers(f"http://127.0.0.1:{port}/health"), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def day_of_batches(folder: Path) -> Iterator[str]:
    """What the archive costs if the events of one day come in many batches, each with a run; and what the ingest of one more batch reads."""
    from pipelines import packs
    from pipelines.core.settings import Settings
    from pipelines.extract import backlog
    from pipelines.extract.sources import fetch_sources
    from pipelines.lake.ingest import Ingest
    from pipelines.packs.workspace import Workspace

    workspace = Workspace(folder / "home", Settings(), pack=packs.load(happenings.write(folder / "pack")))
    workspace.open()

    def drain() -> None:
        backlog.seal_waiting_events(workspace)
        backlog.drain_segments(workspace)

    # the numbers are those of one day
    batches = [[happenings.event(5 * n) for n in range(i * DAY_BATCH, (i + 1) * DAY_BATCH)] for i in range(DAY_BATCHES + 1)]
    content = sum(len(json.dumps(event["data"])) for batch in batches for event in batch)
    seconds, cpu, early = 0.0, 0.0, 0
    for i in range(DAY_BATCHES):
        happenings.push(workspace.queue, batches[i])
        began = time.process_time()
        seconds += _seconds(drain)
        cpu += time.process_time() - began
        if i + 1 == DAY_BATCHES // 10:
            early = _size(workspace.archive)[0]
    size, files = _size(workspace.archive)
    fetch_sources(workspace)
    first = _seconds(lambda: Ingest(workspace).run())
    lake = _size(workspace.lake)[0]
    happenings.push(workspace.queue, batches[-1])
    drain()
    again = _seconds(lambda: Ingest(workspace).run())
    what = f"{DAY_BATCHES:,} batches of {DAY_BATCH} events of one day"
    yield _line(f"{what}: bytes in the archive", f"{size / 1e6:.1f} MB in {files:,} files", f"{content / 1e6:.1f} MB (the records)",
                f"{size / content:.1f}")  # fmt: skip
    yield _line(f"- after the first {DAY_BATCHES // 10:,} batches", f"{early / 1e6:.2f} MB")
    yield _line("- seconds to archive all batches", f"{seconds:.1f} s, {cpu:.1f} s of them CPU")
    yield _line("- fetches.json", f"{workspace.fetch_state.stat().st_size / 1e3:.0f} kB, written with each batch")
    yield _line("- events.db", f"{workspace.queue.stat().st_size / 1e6:.1f} MB")
    yield _line("- ingest of the day", f"{first:.2f} s, {lake / 1e3:.0f} kB in the lake")
    yield _line("- ingest of one more batch", f"{again:.2f} s, {(_size(workspace.lake)[0] - lake) / 1e3:.0f} kB more in the lake")


def _size(folder: Path) -> tuple[int, int]:
    """Return the bytes and the number of the files below a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)


def to_the_release(folder: Path) -> Iterator[str]:
    """Seconds from the last of many pushed events to the release that has them all, with the daemon, and where they go."""
    pack, home = happenings.write(folder / "pack"), folder / "home"
    ui, events = _free_port(), _free_port()
    with (folder / "log").open("wb") as log:
        command = _zpo2("dev", "--pack", str(pack), "--home", str(home), "--port", str(ui), "--events-port", str(events))
        process = subprocess.Popen(command, env=_environment(), stdout=log, stderr=subprocess.STDOUT)
        try:
            _until((home / "public" / "latest.json").is_file, 600)
            _until(lambda: not _runs(home, RUNNING), 60)
            bodies = [happenings.body([happenings.event(n) for n in range(i, i + BATCH)]) for i in range(0, EVENTS, BATCH)]
            _post_all(f"http://127.0.0.1:{events}", bodies, "application/cloudevents-batch+json")
            pushed_at = time.time()
            _until(lambda: _counted(home) == EVENTS, 600)
            released_at = time.time()
            _until(lambda: not _runs(home, RUNNING), 60)
            time.sleep(3 * PUBLISH_INTERVAL)  # a second run would have been requested by now
        finally:
            process.terminate()
            process.wait()
    runs = [run for run in _runs(home) if (run.start_time or 0) > pushed_at]
    yield _line(
        f"from the last of {EVENTS:,} events to the release, by the daemon", f"{released_at - pushed_at:.1f} s", "", "", "at most 30 s"
    )
    yield _line("- runs for them", str(len(runs)), "", "", "1")
    for name, seconds in _phases(home, runs[-1], pushed_at, released_at):
        yield _line(f"- {name}", f"{seconds:.1f} s")


def _runs(home: Path, statuses: Sequence[str] = ()) -> list[Any]:
    """Return Dagster's records of the runs in a home, the newest first."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return list(instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus(status) for status in statuses])))


def _phases(home: Path, run: Any, pushed_at: float, released_at: float) -> Iterator[tuple[str, float]]:
    """Yield the phases between the last event and the release, each with its seconds."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        logs = [entry for entry in instance.all_logs(run.dagster_run.run_id) if entry.is_dagster_event]
    times = {(entry.get_dagster_event().event_type_value, entry.step_key or ""): entry.timestamp for entry in logs}
    ends = [("wait for the tick of the sensor", run.create_timestamp.timestamp())]
    ends += [
        (name, times[(event, "")])
        for name, event in (
            ("tick: the run is planned and queued", "PIPELINE_ENQUEUED"),
            ("wait for the queue", "PIPELINE_STARTING"),
            ("launch and imports of the process", "PIPELINE_START"),
        )
    ]
    ends += sorted(((step, at) for (event, step), at in times.items() if event == "STEP_SUCCESS"), key=lambda end: end[1])
    for (name, end), (_, previous) in zip(ends, [("", pushed_at), *ends], strict=False):
        yield name, end - previous
    yield "from the end of the run until the benchmark sees the release", released_at - ends[-1][1]


def _counted(home: Path) -> int:
    import duckdb

    latest = json.loads((home / "public" / "latest.json").read_text(encoding="utf-8"))
    values = home / "public" / latest["path"] / "parquet" / "indicator_values.parquet"
    query = "select sum(obs_value) from read_parquet(?) where indicator = 'happenings' and ref_area = 'S'"
    found = duckdb.execute(query, [str(values)]).fetchall()[0][0]
    return int(found or 0)


# -------------------------------------------------------------------------------------------------------------------------- ticks


def idle_tick(folder: Path) -> Iterator[str]:
    """Milliseconds of a tick over many sources: none of them due, and all of them due and unchanged."""
    import dagster as dg

    from pipelines import packs
    from pipelines.core.settings import Settings
    from pipelines.core.workspace import WorkspaceFolder
    from pipelines.lake.ingest import Ingest
    from pipelines.orchestration.sensors import build_sensors
    from pipelines.orchestration.session import RunSession
    from pipelines.packs.schema import Fetch
    from pipelines.packs.workspace import Workspace
    from pipelines.runs.request import RunRequest

    with _unchanging() as url:
        pack = packs.load(five_places.write(folder / "pack"))
        template = pack.sources.pop("people")
        for n in range(SOURCES):
            declared = Fetch.model_validate({"url": f"{url}/{n}.csv", "cadence": "* * * * *", "rate": 100_000})
            pack.sources[f"people{n}"] = template.model_copy(update={"id": f"people{n}", "fetch": declared})
        home = WorkspaceFolder(folder / "home")
        home.claim(pack.id)
        settings = Settings(allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=1_700_000_000)
        workspace = Workspace(home.root, settings, pack=pack)
        sensors = {sensor.name: sensor for sensor in build_sensors(workspace, [])}

        def tick(cursor: str | None, name: str = "poll_sources") -> Any:
            with dg.DagsterInstance.ephemeral() as instance:
                return sensors[name](dg.build_sensor_context(instance=instance, cursor=cursor))

        cursor = tick(None).cursor
        Ingest(workspace).run()
        RunSession(RunRequest(workspace), gate={"passed": False}).save_outcome()
        publish = tick(None, "publish_changes").cursor
        nothing = min(_seconds(lambda: tick(publish, "publish_changes")) for _ in range(5))
        idle = min(_seconds(lambda: tick(cursor)) for _ in range(5))
        settings.source_date_epoch = 1_700_000_060
        due = _seconds(lambda: tick(cursor))
        began = time.monotonic()
        with requests.Session() as session:
            for n in range(SOURCES):
                session.get(f"{url}/{n}.csv", headers={"If-None-Match": '"1"'}, timeout=10)
        floor = time.monotonic() - began
    yield _line(f"a tick over {SOURCES} sources, nothing waits for a run", f"{1000 * nothing:.1f} ms", "", "")
    yield _line(f"a tick over {SOURCES} sources, none due", f"{1000 * idle:.1f} ms", "", "")
    yield _line(
        f"a tick over {SOURCES} sources, all due, all 304",
        f"{due:.2f} s",
        f"{floor:.2f} s (bare conditional requests)",
        f"{due / floor:.1f}",
    )


@contextmanager
def _unchanging() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known = self.headers.get("If-None-Match") == '"1"'
            body = b"" if known else b"code,sex,persons\na1,M,1\n"
            self.send_response(304 if known else 200)
            self.send_header("ETag", '"1"')
            if not known:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# ------------------------------------------------------------------------------------------------------------------------- change


def one_source_change(folder: Path) -> Iterator[str]:
    """A run after one number of one source has changed, against the cold run."""
    mirror = Path(os.environ.get("ZPO2_MIRROR") or PROJECT.parent / "shared" / "data" / "mirror")
    if mirror.is_dir():
        copy = folder / "mirror"
        shutil.copytree(mirror, copy)
        pack, variables = Path(shutil.copytree(PROJECT / "packs" / "cz", folder / "cz")), {"ZPO2_MIRROR": str(copy)}
        _remove_pin(pack, "clothing_waste")
        changed = max(copy.rglob("200110_2021.csv"))
    else:
        pack, variables = Path(shutil.copytree(PROJECT / "packs" / "demo", folder / "demo")), {}
        changed = max((pack / "data").rglob("*.csv"), key=lambda path: "waste" in path.name)
    run = _zpo2("run", "--pack", str(pack), "--home", str(folder / "home"))
    cold = _seconds(lambda: _checked(run, variables))
    content = changed.read_bytes()
    changed.chmod(0o644)
    changed.write_bytes(content[: content.rindex(b"\n", 0, -1) + 1])  # without its last row
    again = _seconds(lambda: _checked(run, variables))
    share = again / cold
    yield _line(
        f"packs/{pack.name}: a run after one source lost a row", f"{again:.1f} s", f"{cold:.1f} s (cold)", f"{share:.2f}", "at most 0.25"
    )


def _remove_pin(pack: Path, source: str) -> None:
    """Let a source of a pack have other content than the pinned one."""
    lock, declaration = pack / "snapshots.lock", pack / "sources" / f"{source}.yml"
    entries = [entry for entry in json.loads(lock.read_text(encoding="utf-8")) if entry["source"] != source]
    lock.write_text(json.dumps(entries), encoding="utf-8")
    declaration.write_text(re.sub(r", sha256: [0-9a-f]{64}", "", declaration.read_text(encoding="utf-8")), encoding="utf-8")


def _checked(command: list[str], variables: dict[str, str]) -> None:
    done = subprocess.run(command, env={**_environment(), **variables}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)


# ------------------------------------------------------------------------------------------------------------------------- shared


def _zpo2(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", *arguments]


def _environment() -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZPO2_")}
    return {**clean, "PYTHONPATH": str(PROJECT), "ZPO2_SECRET_EVENTS": happenings.SECRET}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def _until(found: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        if time.monotonic() > deadline:
            raise SystemExit("waited in vain")
        time.sleep(0.1)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _line(*cells: str) -> str:
    return "| " + " | ".join([*cells, *[""] * (5 - len(cells))]) + " |"


if __name__ == "__main__":
    sys.exit(main())
