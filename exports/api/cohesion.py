"""The differences inside territories: dispersion and convergence of one indicator, by area above, level and sex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.api import optional
from exports.api.cells import by_time
from exports.api.encode import number, numbers, significant, statuses
from exports.api.territory import Territory

DISPERSION, CONVERGENCE = "cohesion_dispersion", "cohesion_convergence"
STATISTICS = (
    "cv", "cv_weighted", "gini", "gini_weighted", "iqr", "p90_p10", "sd", "sd_chance", "sd_left", "theil_t", "theil_t_between", "theil_t_weighted",
    "theil_t_within",
)  # fmt: skip
"""The statistics of dispersion in the files; the table has more of them."""
GROUP = ["within", "of_level", "by_level", "sex"]
SPAN = ["within", "of_level", "sex", "first_period", "last_period"]


class CohesionTables:
    """Reads the tables of a release by indicator. Either may be missing."""

    def __init__(self, parquet: Path, territory: Territory) -> None:
        self._territory = territory
        self._path = optional.path(parquet, DISPERSION)
        self._offsets = _offsets(self._path)
        path = optional.path(parquet, CONVERGENCE)
        rows = pl.read_parquet(path) if path is not None else None
        self._spans = {} if rows is None else {str(name): own for (name,), own in rows.partition_by("indicator", as_dict=True).items()}

    def document(self, indicator: str) -> dict[str, Any] | None:
        """Return `cohesion/<id>.json`, None if the tables have no row of the indicator."""
        frame = None
        if self._path is not None and indicator in self._offsets:
            offset, count = self._offsets[indicator]
            frame = pl.scan_parquet(self._path).slice(offset, count).filter(pl.col("statistic").is_in(STATISTICS)).collect()
        spans = self._spans.get(indicator)
        if frame is None and spans is None:
            return None
        periods = by_time(set(frame["time_period"].unique().to_list())) if frame is not None else []
        return {
            "indicator": indicator,
            "periods": periods,
            "dispersion": list(self._dispersion(frame, periods)) if frame is not None else [],
            "convergence": list(self._convergence(spans)) if spans is not None else [],
        }

    def _dispersion(self, frame: pl.DataFrame, periods: list[str]) -> Iterator[dict[str, Any]]:
        place = {period: number for number, period in enumerate(periods)}
        frame = self._numbered(frame).with_columns(
            pl.col("time_period").replace_strict(place, return_dtype=pl.Int64).alias("period"), pl.col("by_level").fill_null("")
        )
        frame = frame.sort("within", "of_level", "by_level", "sex", "statistic", "period")
        values = significant(frame["obs_value"].fill_null(np.nan).to_numpy())
        letters = np.frombuffer("".join(frame["obs_status"].to_list()).encode("ascii"), dtype=np.uint8)
        at, counts = frame["period"].to_numpy(), frame["n"].to_numpy()
        coverage = significant(frame["coverage"].cast(pl.Float64).fill_null(np.nan).to_numpy(), 4)
        lengths = frame.group_by([*GROUP, "statistic"], maintain_order=True).agg(pl.len()).rows()
        group: dict[str, Any] | None = None
        offset = 0
        for within, of_level, by_level, sex, statistic, length in lengths:
            rows = slice(offset, offset + length)
            offset += length
            if group is None or (group["within"], group["of_level"], group["by_level"] or "", group["sex"]) != (
                within,
                of_level,
                by_level,
                sex,
            ):
                if group is not None:
                    yield _with_one_status(group)
                group = {
                    "within": within,
                    "of_level": of_level,
                    "by_level": by_level or None,
                    "sex": sex,
                    "statistics": {},
                    "status_of": {},
                }
                for name, column in (("n", counts), ("coverage", coverage)):
                    dense = np.full(len(periods), np.nan)
                    dense[at[rows]] = column[rows]
                    group[name] = numbers(dense)
            dense, status = np.full(len(periods), np.nan), np.zeros(len(periods), dtype=np.uint8)
            dense[at[rows]], status[at[rows]] = values[rows], letters[rows]
            if np.isfinite(dense).any():
                group["statistics"][statistic] = numbers(dense)
            group["status_of"][statistic] = statuses(status)
        if group is not None:
            yield _with_one_status(group)

    def _convergence(self, frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
        ordered = self._numbered(frame).sort(*SPAN, "statistic")
        values = list(map(number, significant(ordered["obs_value"].fill_null(np.nan).to_numpy()).tolist()))
        names, statuses_of = ordered["statistic"].to_list(), ordered["obs_status"].to_list()
        offset = 0
        for *key, length, n in ordered.group_by(SPAN, maintain_order=True).agg(pl.len(), pl.col("n").max()).iter_rows():
            rows = slice(offset, offset + length)
            offset += length
            statistics: Mapping[str, Any] = dict(zip(names[rows], values[rows], strict=True))
            yield {
                **dict(zip(SPAN, key, strict=True)),
                "n": n,
                "statistics": statistics,
                "status": dict(zip(names[rows], statuses_of[rows], strict=True)),
            }

    def _numbered(self, frame: pl.DataFrame) -> pl.DataFrame:
        number = pl.col("within").replace_strict(self._territory.numbers, default=None, return_dtype=pl.Int64)
        return frame.with_columns(number.alias("within")).filter(pl.col("within").is_not_null())


def _with_one_status(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group with the status that most statistics have; `status_of` keeps those of the others."""
    texts = list(group["status_of"].values())
    status = max(sorted(set(texts)), key=texts.count)
    others = {statistic: text for statistic, text in group["status_of"].items() if text != status}
    return {**group, "status": status, "status_of": others}


def _offsets(path: Path | None) -> dict[str, tuple[int, int]]:
    """Return the first row and the number of rows of each indicator of a sorted table."""
    if path is None:
        return {}
    offsets, first = {}, 0
    for name, count in pl.scan_parquet(path).group_by("indicator").len().collect().sort("indicator").iter_rows():
        offsets[name] = (first, count)
        first += count
    return offsets
