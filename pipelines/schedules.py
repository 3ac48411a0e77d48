"""Dagster schedules: when the sources are looked at.

The earliest cadence of the pack's sources starts the whole job; unchanged inputs end it at once.
"""

from __future__ import annotations

import dagster as dg
from dagster._utils.schedules import is_valid_cron_schedule

from pipelines.packs import Pack

DEFAULT = "0 5 * * *"


def cadences(pack: Pack) -> list[str]:
    """Return the distinct cron expressions of the enabled sources, or the default where none declares one."""
    found = sorted({s.fetch.cadence for s in pack.sources.values() if s.enabled and s.fetch.cadence})
    return [c for c in found if is_valid_cron_schedule(c)] or [DEFAULT]


def build_schedules(pack: Pack, job: dg.UnresolvedAssetJobDefinition) -> list[dg.ScheduleDefinition]:
    return [
        dg.ScheduleDefinition(
            name="look_at_sources",
            job=job,
            cron_schedule=cadences(pack),
            execution_timezone=pack.file.timezone,
            description="Looks at the sources at their declared cadence.",
        )
    ]
