"""When to try again: the Retry-After header."""

from __future__ import annotations

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks to wait; None where there is no header, or none that can be read."""
    try:
        return Retry().parse_retry_after(header) if header else None
    except InvalidHeader:
        return None
