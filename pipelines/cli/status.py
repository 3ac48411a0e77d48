"""The state of a home in one look: sources, what waits, releases, the last gate, the last runs. Reads small files only."""

from __future__ import annotations

from typing import Any

from exports import ReleaseError
from exports.release.ledger import latest_version, read_ledger
from pipelines.core import logs
from pipelines.core.workspace import Home
from pipelines.extract import inbox
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.source_state import States
from pipelines.notify import alerts, announcements
from pipelines.packs import Pack
from pipelines.runs import run as runs


def collect(pack: Pack, home: Home) -> dict[str, Any]:
    """Return the state of `home`: sources with their last fetch, change and counts; what waits; releases; the last gate; the last runs."""
    states = States(home.fetch_state)
    last = runs.last_outcome(home)
    sources = []
    for name, source in pack.sources.items():
        parts = states.of(name).values()
        counts = last.get("sources", {}).get(name, {})
        sources.append(
            {
                "source": name,
                "enabled": source.enabled,
                "last_fetch": max((p.checked_at for p in parts), default=""),
                "last_change": max((p.changed_at for p in parts), default=""),
                "rows_accepted": counts.get("rows_accepted", 0),
                "rows_quarantined": counts.get("rows_quarantined", 0),
                "stale_since": min((p.stale_since for p in parts if p.stale_since), default=None),
                "errors": sorted({p.error for p in parts if p.error}),
            }
        )
    latest = latest_version(home.public)
    releases = [
        {
            "version": release.version,
            "released": release.released,
            "current": release.version == latest,
            **{name: release.annotations[name] for name in ("withdrawn", "pinned", "pruned") if name in release.annotations},
        }
        for release in read_ledger(home.public).releases
    ]
    return {
        "pack": pack.id,
        "home": str(home.root),
        "sources": sources,
        "waiting": _waiting(home),
        "releases": releases,
        "gate": last.get("gate") or None,
        "runs": logs.last_metrics(home),
    }


def _waiting(home: Home) -> dict[str, Any]:
    """Return what no run has taken up yet: pushed events, dropped files; and alerts and announcements that were not delivered."""
    events = {"accepted": 0, "waiting": 0, "open_segments": 0}
    if home.queue.is_file():
        with Queue(home.queue) as queue:
            events = queue.counts()
    return {
        "events": events,
        "files": [f.name for f in inbox.files(home)],
        "alerts": len(alerts.waiting(home)),
        "announcements": _announcements(home),
    }


def _announcements(home: Home) -> int:
    try:
        return announcements.waiting(home)
    except (ReleaseError, ValueError, OSError):
        return 0  # a ledger that cannot be read is told by whoever needs it
