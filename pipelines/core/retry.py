"""What servers say about when to try again."""

from __future__ import annotations

_LONGEST = 10.0**9  # seconds; a server may ask for any number


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for. None if there is no header, or if it is neither a number nor a date."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return min(Retry().parse_retry_after(header), _LONGEST) if header else None
    except (InvalidHeader, ValueError, OverflowError):  # no time, or one with thousands of digits
        return None
