"""Run a pack from the command line: hold the workspace, fetch, stop where nothing changed, else run Dagster's job in this process."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pipelines.core import atomic, logs, machine
from pipelines.core.errors import Zpo2Error, in_one_line
from pipelines.core.fingerprint import digest
from pipelines.core.workspace import WAIT_SECONDS, WorkspaceBusy, WorkspaceError, WorkspaceFolder
from pipelines.extract import backlog, inbox
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.request import FetchResult, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.extract.sources import fetch_sources
from pipelines.notify import alerts, announcements, incidents
from pipelines.orchestration.session import RunSession
from pipelines.packs import Pack
from pipelines.packs.workspace import Workspace
from pipelines.runs import repair, vintage
from pipelines.runs.outcome import RunOutcome, is_unchanged, standing_release
from pipelines.runs.request import Progress, RunRequest, ignore_progress

Report = Callable[[Progress], None]
ALERT_SECONDS = 15.0
"""How long a run waits for the webhook of alerts at its end; the daemon and the next run send what is left."""


def run(
    workspace: Workspace,
    *,
    only: tuple[str, ...] | None = None,
    part: tuple[str, tuple[str, ...]] | None = None,
    accepted: Mapping[str, str] | None = None,
    report: Report = ignore_progress,
    wait: float = WAIT_SECONDS,
) -> dict[str, Any]:
    """Run the pack of `workspace` and return the outcome (see RunOutcome.as_dict). Raises WorkspaceBusy, WorkspaceError.

    While another process writes to the workspace, the run waits for it, at most `wait` seconds.
    At the end, also where the run fails, alerts about what the operator must know are queued and sent.
    """
    try:
        outcome = _run(workspace, only, part, accepted, report, wait)
    except (WorkspaceBusy, WorkspaceError):
        raise  # nothing was run
    except Exception as error:
        _alert(workspace, in_one_line(error) if not isinstance(error, Zpo2Error) else str(error))
        raise
    _alert(workspace)
    return outcome


def _run(
    workspace: Workspace,
    only: tuple[str, ...] | None,
    part: tuple[str, tuple[str, ...]] | None,
    accepted: Mapping[str, str] | None,
    report: Report,
    wait: float,
) -> dict[str, Any]:
    with _locked(workspace, report, wait):
        logs.open_log(workspace)
        _cleanup(workspace)
        repair.repair(workspace)
        announcements.prepare(workspace)
        session = RunSession(RunRequest(workspace, only, part, accepted or {}, by_command=True, report=report))
        done = _fetch_progress(workspace.pack, report)
        inbox.prepare(workspace)
        inbox.wait_until_settled(workspace, only)
        if only is None:
            backlog.seal_waiting_events(workspace)
        with session.timed("fetch"):
            results = fetch_sources(workspace, only, part, done)
            # after the fetch: a dropped file is newer than what the address of its source gives
            results += backlog.drain(workspace, only, done, segments=only is None)
        if not accepted and is_unchanged(workspace):
            outcome = _unchanged(workspace)
            announcements.deliver(workspace)
            return outcome.as_dict(unchanged=True)
        session.request = replace(session.request, fetched=tuple(results))
        try:
            _execute(session)
        except Exception as error:
            if not machine.is_of_damaged_database(error):
                raise
            repair.set_damaged_history_aside(workspace, in_one_line(error))
            raise WorkspaceError("the run could not write its history, which is damaged and was set aside; run again") from None
        outcome = session.save_outcome()
        session.save_metrics()
        announcements.deliver(workspace)
        return outcome.as_dict(unchanged=False)


def _alert(workspace: Workspace, failure: str = "") -> None:
    """Queue alerts for what has happened, and send them. A fault of this must not change how the run ends."""
    try:
        incidents.enqueue(workspace)
        if failure:
            incidents.enqueue_failure(workspace, [failure], digest([failure, f"{workspace.settings.now():%Y-%m-%d}"]))
        alerts.deliver(workspace, ALERT_SECONDS)
    except (Zpo2Error, OSError, ValueError) as error:
        logging.getLogger("zpo2.alerts").error("alerts were not queued or not sent", extra={"reason": in_one_line(error)})


def run_vintage(workspace: Workspace, time: str, out: Path, report: Report = ignore_progress, wait: float = WAIT_SECONDS) -> dict[str, Any]:
    """Build the release of the snapshots known at `time` (a UTC timestamp) in the folder `out`; nothing is fetched, nothing published.

    Returns the outcome (see RunOutcome.as_dict). Raises WorkspaceBusy, WorkspaceError.
    """
    with _locked(workspace, report, wait):
        _cleanup(workspace)
        with vintage.workspace_at(workspace, time) as past:
            session = RunSession(RunRequest(past, fetched=(), by_command=True, is_vintage=True, report=report))
            _execute(session)
            outcome = session.outcome()
            if outcome.release:
                vintage.publish(Path(outcome.release.path), out)
                outcome.release.path = str(out)
            return outcome.as_dict(unchanged=False)


def lock_snapshots(workspace: Workspace, report: Report = ignore_progress) -> tuple[int, list[str]]:
    """Fetch every part and write `snapshots.lock`; return how many snapshots are pinned, and one line for each part that failed."""
    pack = workspace.pack
    with _locked(workspace, report):
        requests = [
            Request(source, part, address(source, part))
            for source in pack.sources.values()
            if source.enabled and source.fetch.url
            for part in pack.parts(source)
        ]
        archive = Archive(workspace.archive)
        results = fetch_all(replace(pack, locked={}), requests, archive, workspace.settings, _fetch_progress(pack, report))
    entries = [
        {"source": s.source, "part": s.part, "url": s.url, "sha256": s.sha256, "bytes": s.bytes}
        for result in results
        if (s := result.snapshot) is not None
    ]
    entries.sort(key=lambda e: (str(e["source"]), str(e["part"])))
    atomic.write_json(pack.root / "snapshots.lock", entries)
    return len(entries), [f"{r.request.source.id} {r.request.part.name}: {r.error}" for r in results if r.error]


@contextlib.contextmanager
def _locked(workspace: Workspace, report: Report, wait: float = WAIT_SECONDS) -> Any:
    """Hold the lock of the workspace, which is created where it does not exist."""
    with workspace.lock(wait, lambda text: report(Progress("lock", "workspace", text)), holder="zpo2"):
        workspace.open()
        yield


def _unchanged(workspace: Workspace) -> RunOutcome:
    """Return the last outcome, with the release that stands now."""
    _recover_releases(workspace)
    outcome = RunOutcome.last(workspace)
    assert outcome.release is not None
    outcome.release = standing_release(workspace, outcome.release)
    outcome.repaired = []
    outcome.values = [replace(count, before=count.now) for count in outcome.values]  # the release has these values now
    return outcome


def _recover_releases(workspace: WorkspaceFolder) -> None:
    """Repair what a killed command left of the public files; the release that stands does not depend on it."""
    from exports import ReleaseError
    from exports.release import lifecycle

    try:
        lifecycle.recover(workspace.public, workspace.staging)
    except ReleaseError as error:
        logging.getLogger("zpo2.releases").warning("the public files were not repaired", extra={"reason": str(error)})


def _cleanup(workspace: WorkspaceFolder) -> None:
    """Remove what a killed run left behind."""
    for folder in (workspace.archive, workspace.lake, workspace.manifests, workspace.dbt, workspace.statistics):
        atomic.cleanup_temp(folder)
    for folder in (workspace.root, workspace.dagster):
        atomic.cleanup_temp(folder, recursive=False)


def _fetch_progress(pack: Pack, report: Report) -> Callable[[FetchResult], None]:
    total = sum(len(pack.parts(s)) for s in pack.sources.values() if s.enabled and s.fetch.url)
    count = 0

    def done(result: FetchResult) -> None:
        nonlocal count
        count += 1
        report(Progress("fetch", result.request.source.id, result.error or "", count, total))

    return done


def _execute(session: RunSession) -> None:
    """Run the job in this process; the session holds what it found."""
    workspace = session.workspace
    os.environ.setdefault("DAGSTER_HOME", str(workspace.dagster))
    with contextlib.closing(session.dbt), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session.report("start", "dagster", "starting")
        session.dbt.start()  # it works in a process of its own while Dagster is imported
        gc.disable()  # an import makes no garbage, and looking for some takes a seventh of its time
        import dagster as dg
        from dagster._core.instance.ref import InstanceRef

        from pipelines.orchestration.definitions import build_definitions
        from pipelines.orchestration.jobs import DRAINED, JOB, WORKSPACE

        gc.freeze()
        gc.enable()
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        job = build_definitions(session).resolve_job_def(JOB)
        log = workspace.dagster / "last_run.log"  # what dbt prints, line by line
        overrides: dict[str, Any] = {
            # capturing what steps print would take the terminal away from the progress display
            "compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"},
        }
        configured = _dagster_configuration(workspace)
        if not {"storage", "event_log_storage"} & set(configured):  # else the operator has another place for it
            overrides["event_log_storage"] = {
                "module": "pipelines.orchestration.run_history",
                "class": "OneConnectionHistory",
                "config": {"base_dir": str(workspace.dagster / "history" / "runs")},
            }
        ref = InstanceRef.from_dir(str(workspace.dagster), overrides=overrides)
        with dg.DagsterInstance.from_ref(ref) as instance, log.open("w") as out, contextlib.redirect_stdout(out):
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                tags={WORKSPACE: str(workspace.root), DRAINED: "by the command"},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
    if not result.success and not session.reasons:
        session.reasons += [_cause(event) for event in result.all_events if event.is_failure and event.is_step_event]


def _dagster_configuration(workspace: WorkspaceFolder) -> dict[str, Any]:
    path = workspace.dagster / "dagster.yaml"
    try:
        configured = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError):
        configured = None
    if not isinstance(configured, dict):
        raise WorkspaceError(f"{path}: damaged (not YAML with keys); restore it from a backup, or remove it: the next run writes it again")
    return configured


def _cause(event: Any) -> str:
    """Return the innermost reason of a failed step in one line."""
    error = event.event_specific_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    text = " ".join(error.message.split()) if error is not None else "failed"
    return f"{event.step_key}: {machine.fault_in(text) or text}"
