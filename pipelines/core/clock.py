"""How times are written: UTC, whole seconds, ISO 8601 with a Z."""

from __future__ import annotations

from datetime import UTC, datetime

TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"


def timestamp(moment: datetime) -> str:
    """Return an aware time as UTC text of whole seconds, such as 2026-11-28T12:00:00Z."""
    return moment.astimezone(UTC).strftime(TIMESTAMP)


def parse_timestamp(text: str) -> datetime:
    """Return the aware time of a text that `timestamp` wrote. Raises ValueError."""
    return datetime.strptime(text, TIMESTAMP).replace(tzinfo=UTC)
