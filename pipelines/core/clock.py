"""How times are written: UTC, ISO 8601 with a Z, in whole seconds or in microseconds."""

from __future__ import annotations

from datetime import UTC, datetime

TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"
PRECISE_TIMESTAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


def timestamp(moment: datetime) -> str:
    """Return an aware time as UTC text of whole seconds, such as 2026-11-28T12:00:00Z."""
    return moment.astimezone(UTC).strftime(TIMESTAMP)


def precise_timestamp(moment: datetime) -> str:
    """Return an aware time as UTC text with microseconds, such as 2026-11-28T12:00:00.000000Z."""
    return moment.astimezone(UTC).strftime(PRECISE_TIMESTAMP)


def parse_timestamp(text: str) -> datetime:
    """Return the aware time of a text that `timestamp` or `precise_timestamp` wrote. Raises ValueError."""
    return datetime.strptime(text, PRECISE_TIMESTAMP if "." in text else TIMESTAMP).replace(tzinfo=UTC)
