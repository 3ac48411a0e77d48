"""R's vectors: values with attributes, missing values, and the numbers of compact forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.readers import cells

MAX_EXPANDED = 50_000_000  # limit for the values that all compact forms of a file expand to
NA_INTEGER = -(2**31)
NA_REAL = 1954  # the low word of NA, which other NaN do not have


@dataclass
class Vector:
    """A vector: `values` is an array of numbers, a list of texts (None is NA), or a list of objects."""

    kind: str  # logical | integer | real | complex | raw | text | list | other
    values: Any
    attributes: dict[str, Any] = field(default_factory=dict)

    def texts(self, name: str) -> list[str | None]:
        """Return the texts of an attribute, or an empty list if it is missing or not text."""
        attribute = self.attributes.get(name)
        return attribute.values if isinstance(attribute, Vector) and attribute.kind == "text" else []


def numbers(vector: Vector, decimal: str = ".", form: str | None = None) -> list[str | None]:
    """Return the texts of whole or real numbers, without `.0`. NA is None; any other NaN stays `nan`.

    `form` is a printf format for numbers that are not whole; without it they keep every digit.
    """
    values = vector.values
    if vector.kind == "integer":
        return [None if value == NA_INTEGER else str(value) for value in values.tolist()]
    missing = (np.isnan(values) & (values.view(np.uint64) & 0xFFFFFFFF == NA_REAL)).tolist()
    texts: list[str | None] = []
    for value, absent in zip(values.tolist(), missing, strict=True):
        text = form % value if form and not value.is_integer() else cells.text(value, decimal)
        texts.append(None if absent else text)
    return texts


def compact(name: Any, state: Any, most: int) -> Vector | None:
    """Return the vector of a compact form (ALTREP), given its name and state; None if it is unknown or has more than `most` values."""
    if name in ("compact_intseq", "compact_realseq"):
        return _sequence(state, most, whole=name == "compact_intseq")
    parts = list(state.values()) if isinstance(state, dict) else state.values if isinstance(state, Vector) else []
    if not isinstance(name, str) or len(parts) == 0 or not isinstance(parts[0], Vector):
        return None
    if name.startswith("wrap_"):
        return parts[0]
    if name == "deferred_string" and parts[0].kind in ("integer", "real") and len(parts[0].values) <= most:
        return Vector("text", numbers(parts[0], form="%.15g"))  # numbers whose conversion to text R has deferred
    return None


def _sequence(state: Any, most: int, *, whole: bool) -> Vector | None:
    if not isinstance(state, Vector) or state.kind != "real" or len(state.values) != 3:
        return None
    size, first, step = state.values.tolist()
    ends = (first, first + step * (size - 1))
    if not 0 <= size <= most or not all(abs(end) < 2**53 for end in ends):
        return None
    values = first + step * np.arange(int(size))
    if not whole:
        return Vector("real", values)
    return Vector("integer", values.astype(np.int32)) if all(abs(end) < 2**31 for end in ends) else None
