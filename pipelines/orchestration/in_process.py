"""Run a pack from the command line: hold the home, fetch, stop where nothing changed, else run Dagster's job in this process."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pipelines.core import atomic, logs
from pipelines.core.settings import Settings
from pipelines.core.workspace import Home
from pipelines.extract import backlog, inbox
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.request import Answer, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.notify import announcements
from pipelines.packs import Pack
from pipelines.runs import run as runs
from pipelines.runs.run import Event, Run
from pipelines.warehouse.dbt import Parsing


def run(
    pack: Pack,
    home: Home,
    settings: Settings,
    *,
    only: tuple[str, ...] | None = None,
    part: tuple[str, tuple[str, ...]] | None = None,
    accepted: Mapping[str, str] | None = None,
    listen: Callable[[Event], None] = lambda _event: None,
) -> dict[str, Any]:
    """Run `pack` on `home` and return the outcome (see Run.outcome). Raises Busy, HomeError."""
    from pipelines.lake.ingest import fetch_sources

    with home.lock(waiting=lambda text: listen(Event("lock", "home", text))):
        home.open(pack.id)
        logs.open_log(home)
        _sweep(home)
        announcements.prepare(home, settings)
        this = Run(pack, home, settings, only, part, accepted or {}, by_command=True, listen=listen)
        tell = _tell(pack, listen)
        inbox.prepare(pack, home)
        inbox.wait_for(home, only)
        if only is None:
            backlog.cut_all(home, settings)
        with this.timed("fetch"):
            this.answers = fetch_sources(pack, home, settings, only, part, tell)
            this.answers += backlog.take_up(
                pack, home, settings, only, tell, segments=only is None
            )  # after the fetch: what was dropped is newer
        if not this.accepted and runs.is_unchanged(pack, home):
            last = runs.last_outcome(home)
            _settle(home)
            announcements.deliver(home, settings)
            last["release"] = runs.standing(home, last["release"])
            return {**last, "unchanged": True}
        _execute(this)
        this.remember()
        this.keep_metrics()
        announcements.deliver(home, settings)
        return {**this.outcome(), "unchanged": False}


def run_vintage(
    pack: Pack, home: Home, settings: Settings, time: str, out: Path, listen: Callable[[Event], None] = lambda _event: None
) -> dict[str, Any]:
    """Build the release of the snapshots known at `time` (a UTC stamp) into the folder `out`; nothing is fetched, nothing published.

    Returns the outcome (see Run.outcome). Raises Busy, HomeError.
    """
    from pipelines.runs import vintage

    with home.lock(waiting=lambda text: listen(Event("lock", "home", text))):
        home.open(pack.id)
        _sweep(home)
        with vintage.home_at(home, pack, time) as past:
            this = Run(pack, past, settings, by_command=True, listen=listen)
            this.answers = []
            _execute(this)
            if this.release:
                vintage.publish(Path(this.release["path"]), out)
                this.release["path"] = str(out)
            return {**this.outcome(), "unchanged": False}


def _settle(home: Home) -> None:
    """Put right what a killed command left of the public files; the release that stands does not depend on it."""
    from exports import ReleaseError
    from exports.release import lifecycle

    try:
        lifecycle.recover(home.public, home.staging)
    except ReleaseError as error:
        logging.getLogger("zpo2.releases").warning("the public files were not put right", extra={"reason": str(error)})


def _sweep(home: Home) -> None:
    """Remove what a killed run left behind."""
    for folder in (home.archive, home.lake, home.manifests, home.dbt):
        atomic.sweep(folder)
    for left in home.root.glob(f"{atomic.TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)


def _tell(pack: Pack, listen: Callable[[Event], None]) -> Callable[[Answer], None]:
    total = sum(len(pack.parts(s)) for s in pack.sources.values() if s.enabled and s.fetch.url)
    count = 0

    def done(answer: Answer) -> None:
        nonlocal count
        count += 1
        listen(Event("fetch", answer.request.source.id, answer.error or "", count, total))

    return done


def _execute(this: Run) -> None:
    """Run the job in this process; what it found stands in `this`."""
    os.environ.setdefault("DAGSTER_HOME", str(this.home.dagster))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        this.listen(Event("start", "dagster", "starting"))
        parsing = Parsing(this.home)  # works while Dagster is imported
        import dagster as dg
        from dagster._core.instance.ref import InstanceRef

        from pipelines.orchestration.definitions import build_definitions
        from pipelines.orchestration.jobs import JOB

        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        job = build_definitions(this, parsing).resolve_job_def(JOB)
        log = this.home.dagster / "last_run.log"  # what dbt prints, line by line
        overrides: dict[str, Any] = {
            # capturing what steps print would take the terminal away from the progress display
            "compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"},
        }
        configured = yaml.safe_load((this.home.dagster / "dagster.yaml").read_text(encoding="utf-8")) or {}
        if not {"storage", "event_log_storage"} & set(configured):  # else the operator has another place for it
            overrides["event_log_storage"] = {
                "module": "pipelines.orchestration.run_history",
                "class": "OneConnectionHistory",
                "config": {"base_dir": str(this.home.dagster / "history" / "runs")},
            }
        ref = InstanceRef.from_dir(str(this.home.dagster), overrides=overrides)
        with dg.DagsterInstance.from_ref(ref) as instance, log.open("w") as out, contextlib.redirect_stdout(out):
            result = job.execute_in_process(
                instance=instance, raise_on_error=False, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
            )
    if not result.success and not this.reasons:
        this.reasons += [_cause(event) for event in result.all_events if event.is_failure and event.is_step_event]


def _cause(event: Any) -> str:
    """Return the innermost reason of a failed step in one line."""
    error = event.event_specific_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    text = " ".join(error.message.split()) if error is not None else "failed"
    return f"{event.step_key}: {text}"


def lock(pack: Pack, home: Home, settings: Settings, listen: Callable[[Event], None]) -> tuple[int, list[str]]:
    """Fetch every part and write `snapshots.lock`; return how many are pinned, and what could not be had."""
    unpinned = replace(pack, locked={})
    with home.lock(waiting=lambda text: listen(Event("lock", "home", text))):
        home.open(pack.id)
        requests = [
            Request(source, part, address(source, part))
            for source in pack.sources.values()
            if source.enabled and source.fetch.url
            for part in pack.parts(source)
        ]
        answers = fetch_all(unpinned, requests, Archive(home.archive), settings, _tell(pack, listen))
    entries = [
        {"source": s.source, "part": s.part, "url": s.url, "sha256": s.sha256, "bytes": s.bytes}
        for a in answers
        if (s := a.snapshot) is not None
    ]
    entries.sort(key=lambda e: (str(e["source"]), str(e["part"])))
    atomic.write_json(pack.root / "snapshots.lock", entries)
    return len(entries), [f"{a.request.source.id} {a.request.part.name}: {a.error}" for a in answers if a.error]
