"""What servers say about when to try again."""

from __future__ import annotations


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for. None if there is no header, or if it is neither a number nor a date."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return Retry().parse_retry_after(header) if header else None
    except InvalidHeader:
        return None
