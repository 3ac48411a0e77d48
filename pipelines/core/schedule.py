"""When a source is due, by its cron expression in the pack's time zone. Asks no clock and no source."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

DEFAULT = "0 5 * * *"
_LOOKED_AHEAD = 32


def is_valid(cron: str) -> bool:
    """Whether `cron` is an expression of five fields, or a name such as @daily, that ever comes true."""
    if not croniter.is_valid(cron) or len(cron.split()) > 5:
        return False
    try:
        croniter(cron, datetime(2024, 1, 1)).get_next(datetime)
    except CroniterError:
        return False
    return True


def last_due(cron: str, timezone: str, now: datetime) -> datetime:
    """Return the last time at which `cron` came true, `now` included."""
    local = now.astimezone(ZoneInfo(timezone))
    found: datetime = croniter(cron, local + timedelta(microseconds=1)).get_prev(datetime)
    return found


def longest_gap(cron: str, timezone: str, now: datetime) -> timedelta:
    """Return the longest time between two of the coming times."""
    times = croniter(cron, now.astimezone(ZoneInfo(timezone)))
    due: list[datetime] = [times.get_next(datetime) for _ in range(_LOOKED_AHEAD)]
    return max(b - a for a, b in itertools.pairwise(due))
