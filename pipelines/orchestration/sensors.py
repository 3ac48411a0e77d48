"""Dagster sensors: what happens starts the work. They look, cut and peek; what a run takes up is the business of the ingest.

`look_at_sources` asks the sources that are due, `watch_inbox` sees files that were dropped, `watch_queue` cuts segments of pushed events:
each starts a run of the sources concerned. `publish_what_changed` then has everything downstream brought up to date, once for a burst of
changes. `tell_of_failures` and `send_alerts` are for the operator, `forget_old_runs` for the disk.
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
from pipelines.core.workspace import WorkspaceBusy
from pipelines.extract import inbox, polling
from pipelines.extract.cloudevents import drain
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.source_state import States
from pipelines.lake.manifest import Manifest, ManifestSource
from pipelines.notify import alerts, announcements
from pipelines.orchestration.assets.ingest import LAKE_KINDS, MANIFEST, source_key, version_of
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings

OFTEN, SOMETIMES, SELDOM = 10, 30, 6 * 3600  # seconds between two ticks, at least
KEPT_RUNS = timedelta(days=90)
FORGOTTEN_AT_ONCE = 200
PATIENCE = timedelta(minutes=15)
INGEST = "ingest"
_log = logging.getLogger("zpo2.sensors")

EVERYTHING = dg.AssetSelection.all()
LAKE = [dg.AssetKey(["lake", kind]) for kind in LAKE_KINDS]


def build_sensors(workspace: Workspace) -> list[dg.SensorDefinition]:
    """Return the sensors of one pack and home, all of them running from the start."""
    return [
        _look_at_sources(workspace), _watch_inbox(workspace), _watch_queue(workspace), _publish_what_changed(),
        _tell_of_failures(workspace), _send_alerts(workspace),
        _forget_old_runs(),
    ]  # fmt: skip


def _request(workspace: Workspace, run_key: str, sources: Iterable[str], fetch: Iterable[str] = (), **tags: str) -> dg.RunRequest:
    """Ask for a run that takes up what has come for some sources, asking those in `fetch` first."""
    chosen = sorted(set(sources) | set(fetch))
    fed = {s.into for name, s in workspace.pack.sources.items() if name in chosen}
    counted = [c.id for c in workspace.pack.counted.values() if c.enabled and c.from_ in fed]
    config = {"fetch": bool(list(fetch)), "sources": sorted(set(fetch))}
    return dg.RunRequest(
        run_key=run_key,
        asset_selection=[source_key(name) for name in [*chosen, *counted]] + LAKE,
        run_config={"ops": {INGEST: {"config": config}}},
        tags={"zpo2/sources": ",".join(chosen)[:250], **tags},
    )


def _look_at_sources(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="look_at_sources", asset_selection=EVERYTHING, minimum_interval_seconds=SOMETIMES, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks each source at its cadence, and starts a run for those that have new content.",
    )  # fmt: skip
    def look_at_sources(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        logs.open_log(workspace)
        cursor = polling.Cursor.parse(context.cursor)
        if not polling.is_due(workspace.pack, cursor, workspace.settings.now()):
            return dg.SkipReason("no source is due")
        try:
            with workspace.lock(wait=0):
                found = polling.look(workspace, cursor)
        except WorkspaceBusy:
            return dg.SkipReason("a run is writing to the home; looked at later")
        _log.info("looked", extra={"asked": found.asked, "changed": list(found.changed), "failed": found.failed})
        keys = [found.changed[name] for name in sorted(found.changed)]
        requests = [_request(workspace, keys[0] if len(keys) == 1 else digest(keys), found.changed)] if keys else []
        reason = f"asked {len(found.asked)} sources, nothing new" + (f"; failed: {', '.join(found.failed)}" if found.failed else "")
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else reason,
            cursor=found.cursor.text(),
            asset_events=[
                event
                for name in found.asked
                if name not in found.changed or name in found.failed
                for event in _seen(workspace, name, found.failed.get(name))
            ],
        )

    return look_at_sources


def _seen(workspace: Workspace, source: str, error: str | None) -> Iterable[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Say that a source was looked at: it is as it was, or could not be had."""
    key = source_key(source)
    stale = [s.stale_since for s in States(workspace.fetch_state).of(source).values() if s.stale_since]
    fresh = {"stale_since": min(stale, default="not stale"), "reason": error or "none"}
    checks: dict[str, tuple[bool, dict[str, Any]]] = {"fresh": (error is None and not stale, fresh)}
    if error is None:
        counts = IngestFindings.last(workspace).counts.get(source)
        rows = counts.model_dump(include={"rows_read", "rows_accepted", "rows_quarantined", "cells_quarantined"}) if counts else {}
        version = {"dagster/data_version": _version_in_lake(workspace, source)}  # the same as before: nothing downstream starts
        yield dg.AssetMaterialization(
            key, metadata={"looked": "nothing new", "dagster/row_count": rows.get("rows_accepted", 0), **rows}, tags=version
        )
        if counts:  # what was found of this content still holds; Dagster forgets it with every materialization
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
        name="watch_inbox", asset_selection=EVERYTHING, minimum_interval_seconds=OFTEN, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a run for the files that lie complete in the inbox.",
    )  # fmt: skip
    def watch_inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        inbox.prepare(workspace)
        there = inbox.complete(inbox.files(workspace))
        seen = _identities(context.cursor)
        now = {file.name: list(file.identity) for file in there}
        # taken up when two looks agree: a file that still grows has another size or time at the second one
        same = [file for file in there if seen.get(file.name) == list(file.identity)]
        cursor = json.dumps({"version": 1, "files": now})
        if not same:
            return dg.SensorResult(skip_reason=f"{len(there)} files, none of them twice as it is", cursor=cursor)
        known = {file.source for file in same if file.source in workspace.pack.sources and workspace.pack.sources[file.source].enabled}
        if not known:
            return dg.SensorResult(skip_reason="the files are of no source of the pack", cursor=cursor)
        key = digest([now[file.name] + [str(file.path)] for file in same])
        return dg.SensorResult(run_requests=[_request(workspace, f"inbox:{key}:lake{versions.LAKE}", known)], cursor=cursor)

    return watch_inbox


def _identities(cursor: str | None) -> dict[str, list[int]]:
    try:
        value = json.loads(cursor or "")
        return dict(value["files"]) if value["version"] == 1 else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _watch_queue(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="watch_queue", asset_selection=EVERYTHING, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Cuts pushed events into segments, one run each, and waits with the next until that one was taken up.",
    )  # fmt: skip
    def watch_queue(_context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if not workspace.queue.is_file():
            return dg.SkipReason("no event was ever pushed")
        with Queue(workspace.queue) as queue:
            segment = next(iter(queue.open_segments()), None) or queue.cut(datetime.now(UTC))
            if segment is None:
                return dg.SkipReason(f"{queue.waiting()[0]} events wait to be cut")
            sources = drain.concerned(workspace.pack, queue, segment)
        changed = [s.id for s in sources if not s.fetch.brings_records]
        brought = [s.id for s in sources if s.fetch.brings_records]
        # asked for again under the same key a segment starts nothing; one that stays open for long gets another try
        tries = (datetime.now(UTC) - parse_timestamp(segment.cut_at).replace(tzinfo=UTC)) // PATIENCE
        key = f"events:{segment.number}:lake{versions.LAKE}" + (f"+{tries}" if tries else "")
        return dg.SensorResult(run_requests=[_request(workspace, key, brought, changed, **{"zpo2/events": str(segment.events)})])

    return watch_queue


def what_changed() -> dg.AutomationCondition[Any]:
    """The condition of everything downstream: something above has other content, nothing above is on its way, and this is not either.

    A burst of changes is one run: it starts when no source is being taken up, or, where that never ends, every five minutes.
    """
    condition = dg.AutomationCondition
    content = condition.data_version_changed() & ~condition.executed_with_root_target()
    # of the lake only the manifest counts: it is the last thing that an ingest tells of, who looked at other kinds would see half of it
    ready = condition.any_deps_match(content).ignore(dg.AssetSelection.assets(*(key for key in LAKE if key != MANIFEST)))
    updated: dg.AutomationCondition[Any] = ready | condition.any_deps_match(condition.will_be_requested())
    return (
        updated.since_last_handled()
        & (~condition.any_deps_in_progress() | condition.cron_tick_passed("*/5 * * * *"))
        & ~condition.in_progress()
    ).with_label("what changed")


def _publish_what_changed() -> dg.SensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        "publish_what_changed",
        target=dg.AssetSelection.all(),
        minimum_interval_seconds=OFTEN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Brings the warehouse and the release up to date after a change.",
    )


def _tell_of_failures(workspace: Workspace) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="tell_of_failures", monitor_all_code_locations=True, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Keeps an alert for every run that failed.",
    )  # fmt: skip
    def tell_of_failures(context: dg.RunFailureSensorContext) -> None:
        logs.open_log(workspace)
        reason = " ".join((context.failure_event.message or "").split())[:1000]
        data = {"run": context.dagster_run.run_id, "reason": reason, "sources": context.dagster_run.tags.get("zpo2/sources", "")}
        alerts.keep(
            workspace, workspace.pack.id, alerts.RUN_FAILED, context.dagster_run.run_id, data, context.dagster_run.run_id
        )  # fmt: skip

    return tell_of_failures


def _send_alerts(workspace: Workspace) -> dg.SensorDefinition:
    @dg.sensor(
        name="send_alerts", minimum_interval_seconds=SOMETIMES, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sees which sources have become stale, and delivers alerts and announcements to the operator's webhooks.",
    )  # fmt: skip
    def send_alerts(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
        logs.open_log(workspace)
        news = alerts.watch(workspace)
        count, faults = alerts.deliver(workspace)
        words = [f"{count} alerts delivered"] + [f"news of {', '.join(news)}"] * bool(news) + faults
        return dg.SkipReason("; ".join(words + _announce(workspace)))

    return send_alerts


def _announce(workspace: Workspace) -> list[str]:
    """Deliver what a run could not; return what is to be said of it."""
    try:
        if not announcements.is_due(workspace):
            return []
        with workspace.lock(wait=0):
            count, faults = announcements.deliver(workspace)
    except WorkspaceBusy:
        return ["a run is writing to the home and announces its releases itself"]
    except (ReleaseError, OSError, ValueError) as error:
        return [str(error)]
    return [f"{count} announcements delivered"] * bool(count) + faults


def _forget_old_runs() -> dg.SensorDefinition:
    @dg.sensor(
        name="forget_old_runs", minimum_interval_seconds=SELDOM, default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Deletes what Dagster keeps of runs that ended over {KEPT_RUNS.days} days ago.",
    )  # fmt: skip
    def forget_old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
        before = datetime.now(UTC) - KEPT_RUNS
        old = context.instance.get_runs(dg.RunsFilter(statuses=ended, created_before=before), limit=FORGOTTEN_AT_ONCE)
        for found in old:
            context.instance.delete_run(found.run_id)
        return dg.SkipReason(f"{len(old)} runs forgotten")

    return forget_old_runs
