"""Dagster sensors: they turn events into runs. They process nothing; the ingest of the run does.

`poll_sources` polls the sources that are due, `watch_inbox` watches for dropped files, and `watch_queue` seals segments of pushed events.
Each starts a run of the affected sources. `publish_changes` then updates everything downstream, once per burst of changes.
`alert_on_failure` and `send_alerts` inform the operator, and `delete_old_runs` frees disk space.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from exports import ReleaseError
from pipelines.core import logs, versions
from pipelines.core.clock import parse_timestamp
from pipelines.core.fingerprint import digest
from pipelines.core.state import StateError
from pipelines.core.workspace import WorkspaceBusy
from pipelines.extract import inbox, polling
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import affected_sources
from pipelines.extract.source_state import SourceStates
from pipelines.lake.manifest import Manifest, ManifestSource
from pipelines.notify import alerts, announcements
from pipelines.orchestration.assets.ingest import LAKE_KINDS, MANIFEST, source_key, version_of
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings

# seconds between two ticks, at least
QUEUE_INTERVAL, INBOX_INTERVAL, PUBLISH_INTERVAL, POLL_INTERVAL, ALERT_INTERVAL, CLEANUP_INTERVAL = 5, 10, 10, 30, 30, 6 * 3600
KEPT_RUNS = timedelta(days=90)
DELETED_PER_TICK = 200
SEGMENT_RETRY = timedelta(minutes=15)
"""A segment that no run has processed for so long is requested again."""
INGEST = "ingest"
_log = logging.getLogger("zpo2.sensors")

EVERYTHING = dg.AssetSelection.all()
LAKE = [dg.AssetKey(["lake", kind]) for kind in LAKE_KINDS]


def build_sensors(workspace: Workspace) -> list[dg.SensorDefinition]:
    """Return the sensors of one workspace. All of them run from the start."""
    return [
        _poll_sources(workspace), _watch_inbox(workspace), _watch_queue(workspace), _publish_changes(),
        _alert_on_failure(workspace), _send_alerts(workspace),
        _delete_old_runs(),
    ]  # fmt: skip


def _request(workspace: Workspace, run_key: str, sources: Iterable[str], fetch: Iterable[str] = (), **tags: str) -> dg.RunRequest:
    """Request a run that processes new content of `sources`, and fetches the sources in `fetch` before."""
    selected = sorted(set(sources) | set(fetch))
    kinds = {s.into for name, s in workspace.pack.sources.items() if name in selected}
    counted = [c.id for c in workspace.pack.counted.values() if c.enabled and c.from_ in kinds]
    config = {"fetch": bool(list(fetch)), "sources": sorted(set(fetch))}
    return dg.RunRequest(
        run_key=run_key,
        asset_selection=[source_key(name) for name in [*selected, *counted]] + LAKE,
        run_config={"ops": {INGEST: {"config": config}}},
        tags={"zpo2/sources": ",".join(selected)[:250], **tags},
    )


def _poll_sources(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="poll_sources", asset_selection=EVERYTHING, minimum_interval_seconds=POLL_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Polls each source at its cadence, and starts a run for the sources with new content.",
    )  # fmt: skip
    def poll_sources(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        logs.open_log(workspace)
        cursor = polling.Cursor.parse(context.cursor)
        if not polling.is_due(workspace.pack, cursor, workspace.settings.now()):
            return dg.SkipReason("no source is due")
        try:
            with workspace.lock(wait=0):
                result = polling.poll(workspace, cursor)
        except WorkspaceBusy:
            return dg.SkipReason("a run is writing to the workspace; the next tick polls")
        _log.info("sources were polled", extra={"polled": result.polled, "changed": list(result.changed), "failed": result.failed})
        keys = [result.changed[name] for name in sorted(result.changed)]
        requests = [_request(workspace, keys[0] if len(keys) == 1 else digest(keys), result.changed)] if keys else []
        reason = f"polled {len(result.polled)} sources, nothing new" + (f"; failed: {', '.join(result.failed)}" if result.failed else "")
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else reason,
            cursor=result.cursor.text(),
            asset_events=[
                event
                for name in result.polled
                if name not in result.changed or name in result.failed
                for event in _poll_events(workspace, name, result.failed.get(name))
            ],
        )

    return poll_sources


def _poll_events(workspace: Workspace, source: str, error: str | None) -> Iterable[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Yield the events of a poll without new content: the source is unchanged, or could not be fetched."""
    key = source_key(source)
    stale = [s.stale_since for s in SourceStates(workspace.fetch_state).parts(source).values() if s.stale_since]
    fresh = {"stale_since": min(stale, default="not stale"), "reason": error or "none"}
    checks: dict[str, tuple[bool, dict[str, Any]]] = {"fresh": (error is None and not stale, fresh)}
    if error is None:
        counts = IngestFindings.last(workspace).counts.get(source)
        rows = counts.model_dump(include={"rows_read", "rows_accepted", "rows_quarantined", "cells_quarantined"}) if counts else {}
        version = {"dagster/data_version": _version_in_lake(workspace, source)}  # unchanged, so nothing downstream starts
        yield dg.AssetMaterialization(
            key, metadata={"poll": "nothing new", "dagster/row_count": rows.get("rows_accepted", 0), **rows}, tags=version
        )
        if counts:  # the results for this content are still valid; Dagster drops them with every materialization
            checks["rows"] = (not counts.has_refused and not counts.warnings, rows)
            checks["schema"] = (not counts.drift, {"changed": "; ".join(counts.drift) or "nothing"})
            checks["snapshot"] = (True, {"errors": "none"})
    for name, (passed, metadata) in checks.items():
        yield dg.AssetCheckEvaluation(asset_key=key, check_name=name, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


def _version_in_lake(workspace: Workspace, source: str) -> str:
    state = Manifest.current(workspace).sources.get(source, ManifestSource())
    return version_of((name, part.snapshot, part.key) for name, part in state.parts.items())


def _watch_inbox(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="watch_inbox", asset_selection=EVERYTHING, minimum_interval_seconds=INBOX_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a run for the complete files in the inbox.",
    )  # fmt: skip
    def watch_inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        inbox.prepare(workspace)
        complete = inbox.complete_files(inbox.list_files(workspace))
        seen = _identities(context.cursor)
        now = {file.name: list(file.identity) for file in complete}
        # a file is processed when two ticks see the same size and time: a file that still grows differs at the second tick
        settled = [file for file in complete if seen.get(file.name) == list(file.identity)]
        cursor = json.dumps({"version": 1, "files": now})
        if not settled:
            return dg.SensorResult(skip_reason=f"{len(complete)} files, none of them unchanged since the last tick", cursor=cursor)
        sources = {file.source for file in settled if file.source in workspace.pack.sources and workspace.pack.sources[file.source].enabled}
        if not sources:
            return dg.SensorResult(skip_reason="the files belong to no source of the pack", cursor=cursor)
        key = digest([now[file.name] + [str(file.path)] for file in settled])
        return dg.SensorResult(run_requests=[_request(workspace, f"inbox:{key}:lake{versions.LAKE}", sources)], cursor=cursor)

    return watch_inbox


def _identities(cursor: str | None) -> dict[str, list[int]]:
    try:
        value = json.loads(cursor or "")
        return dict(value["files"]) if value["version"] == 1 else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _watch_queue(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="watch_queue", asset_selection=EVERYTHING, minimum_interval_seconds=QUEUE_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Seals pushed events into segments, one run per segment, one segment at a time.",
    )  # fmt: skip
    def watch_queue(_context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if not workspace.queue.is_file():
            return dg.SkipReason("no event has been pushed yet")
        with Queue(workspace.queue) as queue:
            segment = next(iter(queue.open_segments()), None) or queue.seal(datetime.now(UTC))
            if segment is None:
                return dg.SkipReason(f"{queue.waiting()[0]} events wait for a segment")
            sources = affected_sources(workspace.pack, queue, segment)
        changed = [s.id for s in sources if not s.fetch.brings_records]
        brought = [s.id for s in sources if s.fetch.brings_records]
        # Dagster skips a known run key, so a segment starts one run; a segment that stays open for long gets another key
        tries = (datetime.now(UTC) - parse_timestamp(segment.sealed_at)) // SEGMENT_RETRY
        key = f"events:{segment.number}:lake{versions.LAKE}" + (f"+{tries}" if tries else "")
        return dg.SensorResult(run_requests=[_request(workspace, key, brought, changed, **{"zpo2/events": str(segment.events)})])

    return watch_queue


def what_changed() -> dg.AutomationCondition[Any]:
    """The condition of everything downstream: an upstream asset has new content, and neither it nor this asset is being updated.

    A burst of changes is one run. It starts when no source is being processed, or every five minutes if that never happens.
    """
    condition = dg.AutomationCondition
    content = condition.data_version_changed() & ~condition.executed_with_root_target()
    # of the lake only the manifest counts: an ingest reports it last, and the other kinds alone would show half of an update
    ready = condition.any_deps_match(content).ignore(dg.AssetSelection.assets(*(key for key in LAKE if key != MANIFEST)))
    updated: dg.AutomationCondition[Any] = ready | condition.any_deps_match(condition.will_be_requested())
    return (
        updated.since_last_handled()
        & (~condition.any_deps_in_progress() | condition.cron_tick_passed("*/5 * * * *"))
        & ~condition.in_progress()
    ).with_label("what changed")


def _publish_changes() -> dg.SensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        "publish_changes",
        target=dg.AssetSelection.all(),
        minimum_interval_seconds=PUBLISH_INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Updates the warehouse and the release after a change.",
    )


def _alert_on_failure(workspace: Workspace) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="alert_on_failure", monitor_all_code_locations=True, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Queues an alert for every failed run.",
    )  # fmt: skip
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        logs.open_log(workspace)
        reason = " ".join((context.failure_event.message or "").split())[:1000]
        data = {"run": context.dagster_run.run_id, "reason": reason, "sources": context.dagster_run.tags.get("zpo2/sources", "")}
        alerts.enqueue(
            workspace, workspace.pack.id, alerts.RUN_FAILED, context.dagster_run.run_id, data, context.dagster_run.run_id
        )  # fmt: skip

    return alert_on_failure


def _send_alerts(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="send_alerts", minimum_interval_seconds=ALERT_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Queues alerts for stale sources, and delivers alerts and announcements to the webhooks of the operator.",
    )  # fmt: skip
    def send_alerts(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
        logs.open_log(workspace)
        alerted = alerts.enqueue_staleness(workspace)
        count, faults = alerts.deliver(workspace)
        messages = [f"{count} alerts delivered"] + [f"new alerts for {', '.join(alerted)}"] * bool(alerted) + faults
        return dg.SkipReason("; ".join(messages + _announce(workspace)))

    return send_alerts


def _announce(workspace: Workspace) -> list[str]:
    """Deliver the announcements that runs could not deliver, and return messages about it."""
    try:
        if not announcements.is_due(workspace):
            return []
        with workspace.lock(wait=0):
            count, faults = announcements.deliver(workspace)
    except WorkspaceBusy:
        return ["a run is writing to the workspace and announces its releases itself"]
    except (ReleaseError, StateError, OSError, ValueError) as error:
        return [str(error)]
    return [f"{count} announcements delivered"] * bool(count) + faults


def _delete_old_runs() -> dg.SensorDefinition:
    @dg.sensor(
        name="delete_old_runs", minimum_interval_seconds=CLEANUP_INTERVAL, default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Deletes Dagster's records of runs that ended more than {KEPT_RUNS.days} days ago.",
    )  # fmt: skip
    def delete_old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
        before = datetime.now(UTC) - KEPT_RUNS
        old = context.instance.get_runs(dg.RunsFilter(statuses=ended, created_before=before), limit=DELETED_PER_TICK)
        for record in old:
            context.instance.delete_run(record.run_id)
        return dg.SkipReason(f"{len(old)} runs deleted")

    return delete_old_runs
