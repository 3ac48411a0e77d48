"""Cron schedules in the time zone of a pack. The caller gives the current time."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

DEFAULT = "0 5 * * *"
_NEXT_TIMES = 32
MAX_LENGTH = 200
"""Characters of an expression."""


def is_valid(cron: str) -> bool:
    """Return whether `cron` is an expression of five fields, or a name such as @daily, with a next time."""
    if len(cron) > MAX_LENGTH or not croniter.is_valid(cron) or len(cron.split()) > 5:
        return False
    try:
        croniter(cron, datetime(2024, 1, 1)).get_next(datetime)
    except CroniterError:
        return False
    return True


def last_due(cron: str, timezone: str, now: datetime) -> datetime:
    """Return the last scheduled time up to and including `now`."""
    local = now.astimezone(ZoneInfo(timezone))
    last: datetime = croniter(cron, local + timedelta(microseconds=1)).get_prev(datetime)
    return last


def longest_gap(cron: str, timezone: str, now: datetime) -> timedelta:
    """Return the longest interval between any two consecutive of the next 32 scheduled times."""
    times = croniter(cron, now.astimezone(ZoneInfo(timezone)))
    scheduled: list[datetime] = [times.get_next(datetime) for _ in range(_NEXT_TIMES)]
    return max(b - a for a, b in itertools.pairwise(scheduled))
