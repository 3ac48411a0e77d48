"""The state of a workspace: sources, the backlog, releases, the last gate and the last runs. Reads small files only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from exports import ReleaseError
from exports.release.ledger import latest_version, read_ledger
from pipelines.core import logs
from pipelines.core.state import StateError
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import inbox
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import Backlog, backlog_of
from pipelines.extract.source_state import SourceStates
from pipelines.notify import alerts, announcements
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import SourceCounts
from pipelines.runs.outcome import RunOutcome


def collect(workspace: Workspace) -> dict[str, Any]:
    """Return the state of a workspace: sources with their last fetch, change and counts; what waits; releases; the last gate; the last runs."""
    states = SourceStates(workspace.fetch_state)
    last = RunOutcome.last(workspace)
    sources = []
    for name, source in workspace.pack.sources.items():
        parts = states.parts(name).values()
        counts = last.sources.get(name, SourceCounts())
        sources.append(
            {
                "source": name,
                "enabled": source.enabled,
                "last_fetch": max((p.checked_at for p in parts), default=""),
                "last_change": max((p.changed_at for p in parts), default=""),
                "rows_accepted": counts.rows_accepted,
                "rows_quarantined": counts.rows_quarantined,
                "stale_since": min((p.stale_since for p in parts if p.stale_since), default=None),
                "errors": sorted({fault for p in parts for fault in p.faults}),
                "warnings": [*counts.drift, *counts.warnings],
            }
        )
    current = latest_version(workspace.public)
    releases = [
        {
            "version": release.version,
            "released": release.released,
            "current": release.version == current,
            **{name: release.annotations[name] for name in ("withdrawn", "pinned", "pruned") if name in release.annotations},
        }
        for release in read_ledger(workspace.public).releases
    ]
    return {
        "pack": workspace.pack.id,
        "home": str(workspace.root),
        "sources": sources,
        "waiting": _waiting(workspace),
        "releases": releases,
        "refused_files": [asdict(file) for file in inbox.refused_files(workspace)],
        "gate": last.gate or None,
        "last_run": {"ended_at": last.ended_at, "exit_code": last.exit_code, "reasons": last.reasons} if last.ended_at else None,
        "runs": logs.last_metrics(workspace),
    }


def _waiting(workspace: Workspace) -> dict[str, Any]:
    """Return what no run has taken up yet: pushed events, dropped files; and alerts and announcements that were not delivered."""
    events = Backlog()
    if workspace.queue.is_file():
        with Queue(workspace.queue) as queue:
            events = backlog_of(workspace.pack, SourceStates(workspace.fetch_state), queue)
    return {
        "events": asdict(events),
        "files": [f.name for f in inbox.list_files(workspace)],
        "alerts": len(alerts.waiting(workspace)),
        "announcements": _announcements(workspace),
    }


def _announcements(workspace: WorkspaceFolder) -> int:
    try:
        return announcements.waiting(workspace)
    except (ReleaseError, StateError, ValueError, OSError):
        return 0  # the commands that need the ledger report the error
