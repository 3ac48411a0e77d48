"""Write JSON and the numbers and statuses in it, without spaces. Numbers are arrays of doubles in which NaN is a missing value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from exports.formats.rounding import LARGEST_SHIFT, round_decimals

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Ints = NDArray[np.int64]

NO_ROW = "."
"""Stands in place of a status where the table has no row."""
rounded = round_decimals


def document(value: Any) -> bytes:
    """Return a document as the bytes of a file. Numpy arrays are written as lists; NaN is null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"


def numbers(values: Floats) -> orjson.Fragment:
    """Return an array of any shape as nested JSON lists. Whole numbers have no decimal point."""
    text = orjson.dumps(np.ascontiguousarray(values + 0.0), option=orjson.OPT_SERIALIZE_NUMPY)
    return orjson.Fragment(text.replace(b".0,", b",").replace(b".0]", b"]"))


def number(value: float | None, decimals: int | None = None) -> float | int | None:
    """Return one number, rounded, as a whole number if it is one; None if it is missing."""
    if value is None or math.isnan(value):
        return None
    value = float(value if decimals is None else round(float(value), decimals)) + 0.0
    return int(value) if value.is_integer() and abs(value) < 10.0**LARGEST_SHIFT else value


def significant(values: Floats, digits: int = 6) -> Floats:
    """Return values rounded to some significant digits."""
    return np.array([float(f"{v:.{digits}g}") for v in values.ravel().tolist()], dtype=np.float64).reshape(values.shape) + 0.0


def statuses(codes: Codes) -> str | list[Any]:
    """Return an array of character codes as a text, an array of two dimensions as a list of texts. 0 stands for no row."""
    text = codes.tobytes().replace(b"\0", NO_ROW.encode()).decode("ascii")
    if codes.ndim == 1:
        return text
    width = codes.shape[1]
    return [text[first : first + width] for first in range(0, len(text), width)]
