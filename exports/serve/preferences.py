"""Read what a client prefers from the headers Accept-Encoding and Accept-Language (RFC 9110, section 12.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def weighted(header: str) -> Iterator[tuple[str, float]]:
    """Yield each value of a header in small letters with its weight, which is 1 without a parameter q and 0 with one that is no number."""
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        if name := name.strip():
            yield name, _weight(parameters)


def language(header: str, offered: Sequence[str]) -> str | None:
    """Return the language of `offered` that the client prefers; the first one if it asks for none of them, None if nothing is offered."""
    weights: dict[str, float] = {}
    for name, weight in weighted(header):
        base = name.partition("-")[0]
        weights[base] = max(weights.get(base, 0.0), weight)
    return max(offered, key=lambda candidate: weights.get(candidate.lower().partition("-")[0], 0.0), default=None)


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
