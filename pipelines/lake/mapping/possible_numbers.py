"""Numbers that cannot be: coordinates that lie on no globe, and areas of a negative size. They are refused alone, not with their row."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

COORDINATES = {"lat": (-90.0, 90.0), "lon": (-180.0, 180.0)}
"""The smallest and the largest possible number, in degrees."""
SIZE = {"area_km2": (0.0, 1e9)}
"""No area is larger than the surface of the Earth."""
_PLACE = ("__n", "__row", "__cell", "__part")


def without_impossible(rows: pl.DataFrame, bounds: Mapping[str, tuple[float, float]], prefix: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `rows` without impossible numbers, and these numbers as bad cells with `__n`, named by `prefix` and their column.

    A coordinate is of no use without the other one, so both are refused.
    """
    impossible = {name: pl.col(name).is_not_null() & ~pl.col(name).is_between(low, high) for name, (low, high) in bounds.items()}
    of_pair = impossible["lat"] | impossible["lon"]
    outside = {name: of_pair if name in COORDINATES else is_impossible for name, is_impossible in impossible.items()}
    cells = []
    for name, is_outside in outside.items():
        low, high = bounds[name]
        expected = f"{low:g} to {high:g} degrees (WGS 84)" if name in COORDINATES else "0 or more"
        reason = (
            pl.when(impossible[name])
            .then(pl.format(f"{prefix}.{name}: {{}}, expected {expected}", name))
            .otherwise(pl.lit(f"{prefix}.{name}: the other coordinate is impossible"))
        )
        cells.append(rows.filter(is_outside).select(*_PLACE, pl.lit(name).alias("column"), reason.alias("reason")))
    possible = rows.with_columns(pl.when(~is_outside).then(name).alias(name) for name, is_outside in outside.items())
    return possible, pl.concat(cells)
