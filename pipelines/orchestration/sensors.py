"""Dagster sensors: they turn events into runs. They process nothing; the ingest of the run does.

`poll_sources` polls the sources at their cadence. `publish_changes` looks for everything that waits for a run: polled content, dropped files, pushed
events, and what a failed run left. It requests one run for all of it, from the ingest to the release.
`alert_on_failure` and `send_alerts` inform the operator, and `delete_old_runs` frees disk space.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from exports import ReleaseError
from pipelines.core import logs
from pipelines.core.clock import parse_timestamp, precise_timestamp
from pipelines.core.fingerprint import digest
from pipelines.core.state import StateError
from pipelines.core.workspace import WorkspaceBusy
from pipelines.extract import inbox, polling
from pipelines.extract.inbox import DroppedFile
from pipelines.extract.source_state import SourceStates
from pipelines.notify import alerts, announcements, incidents
from pipelines.orchestration.assets.ingest import LAKE_KINDS, affected_assets, times
from pipelines.orchestration.jobs import DRAINED, FETCH_PREFIX, JOB, WORKSPACE
from pipelines.orchestration.keys import lake_table_key, source_key
from pipelines.orchestration.pruning import prune
from pipelines.packs.workspace import Workspace
from pipelines.runs import repair, waiting
from pipelines.runs.outcome import RunOutcome

# seconds between two ticks, at least
PUBLISH_INTERVAL, POLL_INTERVAL, ALERT_INTERVAL, CLEANUP_INTERVAL = 5, 30, 30, 6 * 3600
KEPT_RUNS = timedelta(days=90)
KEPT_EVENTS = timedelta(days=30)
DELETED_PER_TICK = 200
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(days=1)
"""A run that failed is repeated at once, then after the first pause, which grows fourfold with every further failure.

After a run that the operator cancelled, nothing is requested for the first pause.
"""
PROCESS_ENDED = timedelta(minutes=5)
"""A run that began so long ago, and neither holds the workspace nor waits for it, has no process any more."""
INGEST = "ingest"
HOLDER = "a sensor of the daemon"
"""How a sensor that holds the workspace is named to those who wait for it."""
QUIET = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}
"""The events of a run are in Dagster's event log; the console of the daemon does not repeat each of them."""
_log = logging.getLogger("zpo2.sensors")

STARTED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, *STARTED]


def build_sensors(workspace: Workspace, downstream: Collection[dg.AssetKey]) -> list[dg.SensorDefinition]:
    """Return the sensors of one workspace; all of them run from the start. `downstream` are the assets that depend on the lake."""
    return [
        _poll_sources(workspace), _publish_changes(workspace, downstream),
        _alert_on_failure(workspace), _send_alerts(workspace),
        _delete_old_runs(),
    ]  # fmt: skip


def _poll_sources(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="poll_sources", minimum_interval_seconds=POLL_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Polls each source at its cadence, and archives what is new.",
    )  # fmt: skip
    def poll_sources(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        logs.open_log(workspace)
        _repair(workspace)
        cursor = polling.Cursor.parse(context.cursor)
        if not polling.due_sources(workspace.pack, cursor, workspace.settings.now()):
            return dg.SkipReason("no source is due")
        try:
            with workspace.lock(wait=0, holder=HOLDER):
                result = polling.poll(workspace, cursor)
        except WorkspaceBusy:
            return dg.SkipReason("a run is writing to the workspace; the next tick polls")
        _log.info("sources were polled", extra={"polled": result.polled, "changed": sorted(result.changed), "failed": result.failed})
        changed = f"new content of {', '.join(sorted(result.changed))}" if result.changed else "nothing new"
        failed = f"; failed: {', '.join(result.failed)}" if result.failed else ""
        states = SourceStates(workspace.fetch_state)
        return dg.SensorResult(
            skip_reason=f"polled {len(result.polled)} sources, {changed}{failed}",
            cursor=result.cursor.text(),
            asset_events=[
                event
                for name in result.polled
                if name not in result.changed or name in result.failed
                for event in _poll_events(workspace, context.instance, states, name, result.failed.get(name))
            ],
        )

    return poll_sources


def _repair(workspace: Workspace) -> None:
    """Make damaged state files again, unless a run is writing to the workspace; it does that itself."""
    if repair.is_needed(workspace):
        with suppress(WorkspaceBusy), workspace.lock(wait=0, holder=HOLDER):
            repair.repair(workspace)


def _poll_events(
    workspace: Workspace, instance: dg.DagsterInstance, states: SourceStates, source: str, error: str | None
) -> Iterable[dg.AssetObservation | dg.AssetCheckEvaluation]:
    """Yield the events of a poll without new content: an observation, and the check `fresh` where its result has changed.

    It is no materialization, because the content is that of the last one.
    """
    key = source_key(workspace.pack, source)
    stale = [s.stale_since for s in states.parts(source).values() if s.stale_since]
    if error is None:
        yield dg.AssetObservation(key, metadata={"poll": "nothing new", **times(states, source)})
    is_fresh = error is None and not stale
    check = dg.AssetCheckKey(key, "fresh")
    last = instance.event_log_storage.get_latest_asset_check_execution_by_key([check]).get(check)
    event = last.event.dagster_event if last is not None and last.event is not None else None
    if event is None or event.asset_check_evaluation_data.passed != is_fresh:
        metadata = {"stale_since": min(stale, default="not stale"), "reason": error or "none"}
        yield dg.AssetCheckEvaluation(key, "fresh", passed=is_fresh, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


@dataclass(frozen=True)
class Cursor:
    """The files that the last tick saw, with their sizes and times; and which work was last requested, how often, and when."""

    files: dict[str, list[int]] = field(default_factory=dict)
    key: str = ""
    requests: int = 0
    requested_at: str = ""

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """Return the cursor in `text`; an empty one where it is unreadable."""
        try:
            value = json.loads(text or "")
            return cls(dict(value["files"]), str(value["key"]), int(value["requests"]), str(value["requested_at"]))
        except (ValueError, KeyError, TypeError):
            return cls()

    def text(self) -> str:
        return json.dumps(asdict(self))

    def next_request(self) -> datetime:
        """Return when the same work may be requested again."""
        pause = min(FIRST_PAUSE * 4 ** min(self.requests - 2, 10), LONGEST_PAUSE) if self.requests > 1 else timedelta(0)
        return parse_timestamp(self.requested_at) + pause


def _publish_changes(workspace: Workspace, downstream: Collection[dg.AssetKey]) -> dg.SensorDefinition:
    @dg.sensor(
        name="publish_changes", job_name=JOB, minimum_interval_seconds=PUBLISH_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts one run, from the ingest to the release, for everything that waits.",
    )  # fmt: skip
    def publish_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        logs.open_log(workspace)
        _repair(workspace)
        cursor = Cursor.parse(context.cursor)
        settled, files = _settled_files(workspace, cursor.files)

        def skip(reason: str) -> dg.SensorResult:
            return dg.SensorResult(skip_reason=reason, cursor=Cursor(files, cursor.key, cursor.requests, cursor.requested_at).text())

        _end_dead_runs(context.instance, workspace)
        runs = context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags={WORKSPACE: str(workspace.root)}))
        next_run = next((run for run in runs if DRAINED not in run.tags), None)
        if next_run is not None:
            return skip(f"the run {next_run.run_id[:8]} will process everything that arrives before its ingest")
        work = waiting.arrived(workspace, settled)
        if not runs:
            try:
                with workspace.lock(wait=0, holder=HOLDER):
                    work += waiting.unfinished(workspace)
            except WorkspaceBusy:
                return skip("the workspace is being written to; the next tick looks again")
        if not work:
            return skip(f"nothing waits for a run; complete files in the inbox: {len(files)}")
        now, key = datetime.now(UTC), digest(sorted(item.key for item in work))
        if key == cursor.key and now < cursor.next_request():
            return skip(
                f"runs for this that failed: {cursor.requests}; the next one not before {cursor.next_request():%Y-%m-%d %H:%M:%S} UTC"
            )
        cancelled = _last_cancellation(context.instance, workspace)
        if cancelled and now < cancelled + FIRST_PAUSE:
            return skip(f"the last run was cancelled; the next one not before {cancelled + FIRST_PAUSE:%Y-%m-%d %H:%M:%S} UTC")
        request = _request(workspace, work, downstream)
        _log.info("a run was requested", extra={"reasons": [item.text for item in work], "sources": request.tags["zpo2/sources"]})
        requests = cursor.requests + 1 if key == cursor.key else 1
        return dg.SensorResult(run_requests=[request], cursor=Cursor(files, key, requests, precise_timestamp(now)).text())

    return publish_changes


def _settled_files(workspace: Workspace, seen: dict[str, list[int]]) -> tuple[list[DroppedFile], dict[str, list[int]]]:
    """Return the files to process, and all complete files with their sizes and times.

    A file is processed when two ticks see the same size and time: a file that still grows differs at the second tick.
    """
    inbox.prepare(workspace)
    complete = inbox.complete_files(inbox.list_files(workspace))
    files = {file.name: list(file.identity) for file in complete}
    return [file for file in complete if seen.get(file.name) == list(file.identity)], files


def _request(workspace: Workspace, work: Collection[waiting.Work], downstream: Collection[dg.AssetKey]) -> dg.RunRequest:
    """Request a run that processes all work. Its assets are the sources that are affected now; the ingest adds those that turn up later."""
    sources = {source for item in work for source in item.sources}
    # a run without an ingest processes nothing that arrives, so another one may be requested beside it
    drained = {} if sources else {DRAINED: "nothing to drain"}
    return dg.RunRequest(
        asset_selection=[*affected_assets(workspace.pack, sources), *(lake_table_key(workspace.pack, kind) for kind in LAKE_KINDS), *downstream],
        run_config=QUIET | ({"ops": {INGEST: {"config": {"fetch": False}}}} if sources else {}),
        tags={
            WORKSPACE: str(workspace.root), "zpo2/sources": ", ".join(sorted(sources))[:250],
            "zpo2/reason": "; ".join(item.text for item in work)[:250], **drained,
        },
    )  # fmt: skip


def _last_cancellation(instance: dg.DagsterInstance, workspace: Workspace) -> datetime | None:
    """Return when the last run of the workspace was cancelled; None where it was not."""
    records = instance.get_run_records(dg.RunsFilter(tags={WORKSPACE: str(workspace.root)}), limit=1)
    is_cancelled = bool(records) and records[0].dagster_run.status == dg.DagsterRunStatus.CANCELED
    return datetime.fromtimestamp(records[0].update_timestamp.timestamp(), UTC) if is_cancelled else None


def _end_dead_runs(instance: dg.DagsterInstance, workspace: Workspace) -> None:
    """Record the failure of runs whose process was killed together with the daemon. They would keep every other run waiting."""
    began_before = time.time() - PROCESS_ENDED.total_seconds()
    records = instance.get_run_records(dg.RunsFilter(statuses=STARTED, tags={WORKSPACE: str(workspace.root)}))
    old = [record.dagster_run for record in records if record.start_time is not None and record.start_time < began_before]
    if old:
        with suppress(WorkspaceBusy), workspace.lock_without_waiters():
            for run in old:
                instance.report_run_failed(run, "the process of the run has ended without a result")


def _alert_on_failure(workspace: Workspace) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="alert_on_failure", default_status=dg.DefaultSensorStatus.RUNNING,
        description="Queues an alert for every failed run.",
    )  # fmt: skip
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        logs.open_log(workspace)
        if context.dagster_run.job_name.startswith(FETCH_PREFIX):
            return  # the source is stale now, and that has an alert of its own
        last = RunOutcome.last(workspace)
        if last.run == context.dagster_run.run_id:
            incidents.enqueue(workspace)  # the run came as far as the gate: its outcome says more than Dagster's event
            return
        reasons = [_innermost(event) for event in context.get_step_failure_events()] or [context.failure_event.message or ""]
        incidents.enqueue_failure(workspace, reasons, context.dagster_run.run_id, context.dagster_run.tags.get("zpo2/sources", ""))

    return alert_on_failure


def _innermost(event: dg.DagsterEvent) -> str:
    """Return the innermost reason of a failed step."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return f"{event.step_key}: {error.message if error is not None else 'failed'}"


def _send_alerts(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="send_alerts", minimum_interval_seconds=ALERT_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Queues alerts for what has happened, and delivers alerts and announcements to the webhooks of the operator.",
    )  # fmt: skip
    def send_alerts(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
        logs.open_log(workspace)
        alerted = incidents.enqueue(workspace)
        count, faults = alerts.deliver(workspace)
        messages = [f"{count} alerts delivered"] + [f"new alerts for {', '.join(alerted)}"] * bool(alerted) + faults
        return dg.SkipReason("; ".join(messages + _announce(workspace)))

    return send_alerts


def _announce(workspace: Workspace) -> list[str]:
    """Deliver the announcements that runs could not deliver, and return messages about it."""
    try:
        if not announcements.is_due(workspace):
            return []
        with workspace.lock(wait=0, holder=HOLDER):
            count, faults = announcements.deliver(workspace)
    except WorkspaceBusy:
        return ["a run is writing to the workspace and announces its releases itself"]
    except (ReleaseError, StateError, OSError, ValueError) as error:
        return [str(error)]
    return [f"{count} announcements delivered"] * bool(count) + faults


def _delete_old_runs() -> dg.SensorDefinition:
    @dg.sensor(
        name="delete_old_runs", minimum_interval_seconds=CLEANUP_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Deletes Dagster's records of runs that ended more than {KEPT_RUNS.days} days ago, and of polls and checks older than "
        f"{KEPT_EVENTS.days} days.",
    )  # fmt: skip
    def delete_old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
        before = datetime.now(UTC) - KEPT_RUNS
        old = context.instance.get_runs(dg.RunsFilter(statuses=ended, created_before=before), limit=DELETED_PER_TICK)
        for record in old:
            context.instance.delete_run(record.run_id)
        events = prune(context.instance, datetime.now(UTC) - KEPT_EVENTS)
        return dg.SkipReason(f"{len(old)} runs and {events} events deleted")

    return delete_old_runs
