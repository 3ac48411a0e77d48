"""The state of a home in one look: sources, releases, the last gate. Reads small files only."""

from __future__ import annotations

from typing import Any

from pipelines import durable, runs
from pipelines.home import Home
from pipelines.packs import Pack
from pipelines.sources import States


def collect(pack: Pack, home: Home) -> dict[str, Any]:
    """Return the state of `home`: sources with their last fetch, change and counts; releases; the last gate."""
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
    latest = durable.read_json(home.public / "latest.json", {})
    ledger = durable.read_json(home.public / "releases.json", [])
    entries = ledger.get("releases", []) if isinstance(ledger, dict) else ledger
    releases = [{"version": r["version"], "released": r["released"], "current": r["version"] == latest.get("version")} for r in entries]
    return {"pack": pack.id, "home": str(home.root), "sources": sources, "releases": releases, "gate": last.get("gate") or None}
