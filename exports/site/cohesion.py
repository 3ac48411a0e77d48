"""`cohesion/<id>.json`: the file of the API without what the page of inner differences does not show, which is most of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.core.vocabulary import TOTAL

OVER_TIME = ("sd", "sd_chance", "sd_left")
"""Statistics of which all periods are shown; of the others only the last one of each territory."""
AT_LAST = ("iqr", "cv", "gini", "p90_p10", "theil_t")
CONVERGENCE = ("sigma_first", "sigma_last", "sigma_change", "sd_left_first", "sd_left_last", "sd_left_change")


def document(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file for a file `cohesion/<id>.json` of the API, with the same members: totals only, and no decompositions by level."""
    return {
        "indicator": file["indicator"],
        "periods": file["periods"],
        "dispersion": [
            _dispersion(dispersion) for dispersion in file["dispersion"] if dispersion["sex"] == TOTAL and dispersion["by_level"] is None
        ],
        "convergence": [_convergence(convergence) for convergence in file["convergence"] if convergence["sex"] == TOTAL],
    }


def _dispersion(group: Mapping[str, Any]) -> dict[str, Any]:
    statistics = {
        name: values if name in OVER_TIME else _last(values)
        for name, values in group["statistics"].items()
        if name in (*OVER_TIME, *AT_LAST) and any(value is not None for value in values)
    }
    return {
        **group,
        "statistics": statistics,
        "status_of": {name: status for name, status in group["status_of"].items() if name in statistics},
    }


def _convergence(span: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **span,
        **{part: {name: value for name, value in span[part].items() if name in CONVERGENCE} for part in ("statistics", "status")},
    }


def _last(values: Sequence[float | None]) -> list[float | None]:
    """Return the values without all but the last one that there is."""
    last = max(place for place, value in enumerate(values) if value is not None)
    return [value if place == last else None for place, value in enumerate(values)]
