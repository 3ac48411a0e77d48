"""Read the newest values of a release as people read them: a table per level, with names of areas, districts and indicators.

The periods are those of the table latest_values: one per indicator, its newest with a value anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core.vocabulary import TOTAL, first_day


@dataclass(frozen=True)
class ShownIndicator:
    """An indicator as a column: the period of its values, and its row of the table `indicators`."""

    id: str
    period: str
    about: Mapping[str, Any]

    @property
    def decimals(self) -> int | None:
        return self.about.get("decimals")

    def text(self, name: str, language: str) -> str:
        """Return a text of the indicator in a language, or in English."""
        return str(self.about.get(f"{name}_{language}") or self.about.get(f"{name}_en") or self.about.get(name) or "")

    def head(self, language: str) -> str:
        """Return the title with unit and period."""
        return f"{self.text('title', language) or self.id} ({', '.join(filter(None, (self.text('unit', language), self.period)))})"


@dataclass(frozen=True)
class Level:
    """The areas of a level with their newest values.

    `parents`: ids of the levels above whose areas tell its areas apart. `areas`: ref_area, name, and parent_<id> with the name of the area
    above, for each of `parents`; sorted by name. `values` and `statuses` have a row for each of `areas`, a column for each of `indicators`.
    """

    id: str
    parents: Sequence[str]
    areas: pl.DataFrame
    indicators: Sequence[ShownIndicator]
    values: pl.DataFrame = field(repr=False)
    statuses: pl.DataFrame = field(repr=False)


NEEDED = {
    "indicators": {"indicator"},
    "areas": {"ref_area", "name", "level", "valid_to"},
    "area_parents": {"ref_area", "parent", "valid_to"},
    "indicator_values": {"indicator", "ref_area", "time_period", "sex", "age", "level", "obs_value", "obs_status"},
}
"""The columns that the tables must have, by table."""


def read(parquet: Path, levels: Sequence[str]) -> list[Level]:
    """Return the given levels that have areas and values."""
    shown = _shown(parquet)
    areas = pl.read_parquet(parquet / "areas.parquet").filter(pl.col("valid_to").is_null())
    links = pl.read_parquet(parquet / "area_parents.parquet").filter(pl.col("valid_to").is_null())
    names = areas.select("ref_area", "name", "level")
    ancestors = areas_above(links.select("ref_area", "parent").unique(), names)
    result = []
    for level in levels:
        own = _sorted_by_name(names.filter(pl.col("level") == level).select("ref_area", "name"))
        if own.is_empty():
            continue
        parents = [name for name in levels if name != level and _tells_apart(ancestors, own, name)]
        for parent in parents:
            of_parent = ancestors.filter(pl.col("level") == parent).select("ref_area", pl.col("name").alias(f"parent_{parent}"))
            own = own.join(of_parent.unique("ref_area", keep="any"), on="ref_area", how="left", maintain_order="left")
        cells = _cells(parquet, level, shown)
        with_values = set(cells.filter(pl.col("obs_value").is_not_null())["indicator"].unique())
        columns = [indicator for indicator in shown if indicator.id in with_values]
        if columns:
            result.append(
                Level(level, parents, own, columns, _wide(own, cells, columns, "obs_value"), _wide(own, cells, columns, "obs_status"))
            )
    return result


def _shown(parquet: Path) -> list[ShownIndicator]:
    """Return the indicators with values, by objective and field, each with its newest period."""
    about = {row["indicator"]: row for row in pl.read_parquet(parquet / "indicators.parquet").to_dicts()}
    periods: dict[str, str] = {}
    pairs = (
        pl.scan_parquet(parquet / "indicator_values.parquet")
        .filter(pl.col("obs_value").is_not_null(), pl.col("sex") == TOTAL, pl.col("age") == TOTAL)
        .select("indicator", "time_period")
        .unique()
        .collect(engine="streaming")
    )
    for indicator, period in sorted(pairs.rows(), key=lambda pair: (str(first_day(pair[1])), pair[1])):
        periods[indicator] = period
    shown = [ShownIndicator(name, period, about[name]) for name, period in periods.items() if name in about]
    return sorted(shown, key=lambda i: (i.about.get("objective") or "~", i.about.get("measure") or "~", i.about.get("field") or "~", i.id))


def _sorted_by_name(areas: pl.DataFrame) -> pl.DataFrame:
    """Return the areas sorted by name, a letter with a mark beside the letter without."""
    plain = areas["name"].fill_null("").str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    return areas.with_columns(plain.alias("plain")).sort("plain", "name", "ref_area").drop("plain")


def areas_above(links: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Return each area with every area above it: ref_area, level and name of the area above."""
    steps, step = [], links
    while not step.is_empty():
        steps.append(step)
        step = step.join(links, left_on="parent", right_on="ref_area").select("ref_area", pl.col("parent_right").alias("parent"))
    pairs = pl.concat(steps).unique() if steps else links
    return pairs.join(names, left_on="parent", right_on="ref_area").select("ref_area", "level", "name").sort("ref_area", "level", "name")


def _tells_apart(ancestors: pl.DataFrame, areas: pl.DataFrame, level: str) -> bool:
    """Whether areas of a level above are several for these areas."""
    above = ancestors.filter(pl.col("level") == level).join(areas, on="ref_area", how="semi")
    return above["name"].n_unique() > 1


def _cells(parquet: Path, level: str, shown: Sequence[ShownIndicator]) -> pl.DataFrame:
    newest = pl.LazyFrame(
        {"indicator": [i.id for i in shown], "time_period": [i.period for i in shown]}, {"indicator": pl.String, "time_period": pl.String}
    )
    return (
        pl.scan_parquet(parquet / "indicator_values.parquet")
        .filter(pl.col("level") == level, pl.col("sex") == TOTAL, pl.col("age") == TOTAL)
        .join(newest, on=["indicator", "time_period"], how="semi")
        .select("indicator", "ref_area", "obs_value", "obs_status")
        .collect(engine="streaming")
    )


def _wide(areas: pl.DataFrame, cells: pl.DataFrame, columns: Sequence[ShownIndicator], name: str) -> pl.DataFrame:
    wide = cells.pivot("indicator", index="ref_area", values=name)
    return areas.select("ref_area").join(wide, on="ref_area", how="left", maintain_order="left").select(i.id for i in columns)
