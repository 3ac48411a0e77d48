"""Numbers as text with 12 significant digits, as they are published. Rounds for display only."""

from __future__ import annotations


def number(value: float | None) -> str:
    """Return a number with up to 12 significant digits, whole ones in full."""
    if value is None:
        return "missing"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.12g}"


def signed(value: float | None) -> str:
    """Return a number as text, a negative one in brackets, so that it can follow an operator."""
    return f"({number(value)})" if value is not None and value < 0 else number(value)


def percent(share: float) -> str:
    return f"{100 * share:.6g} %"
