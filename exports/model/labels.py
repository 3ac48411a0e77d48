"""Names of indicators and areas, read from the tables of a release, for files that show names beside codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class Indicator:
    """An indicator's titles and units by language in the pack's order, decimals for display, and the ids of its sources.

    `unit` is the unit in the table of values, which has no language.
    """

    id: str
    titles: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    decimals: int | None = None
    sources: Sequence[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return next(iter(self.titles.values()), self.id)

    def unit_in(self, language: str) -> str:
        return self.units.get(language) or self.unit


@dataclass(frozen=True)
class Labels:
    """Indicators by id, and names of areas by `ref_area`. Areas without a name are left out."""

    indicators: Mapping[str, Indicator]
    areas: Mapping[str, str]

    def indicator(self, name: str) -> Indicator:
        return self.indicators.get(name) or Indicator(name)

    def area(self, ref_area: str) -> str:
        return self.areas.get(ref_area) or ref_area


def read(parquet: Path, languages: Sequence[str]) -> Labels:
    """Read the tables `indicators` and `areas` in the folder `parquet`. Missing tables and columns give no labels."""
    indicators = {str(row["indicator"]): _indicator(row, languages) for row in _rows(parquet / "indicators.parquet") if "indicator" in row}
    areas = {str(row["ref_area"]): str(row["name"]) for row in _rows(parquet / "areas.parquet", "ref_area", "name") if row.get("name")}
    return Labels(indicators, areas)


def _rows(path: Path, *columns: str) -> list[dict[str, object]]:
    if not path.is_file():
        return []
    frame = pl.read_parquet(path)
    return frame.select([name for name in columns if name in frame.columns] or pl.all()).to_dicts()


def _indicator(row: Mapping[str, object], languages: Sequence[str]) -> Indicator:
    titles, units = (
        {language: str(row[f"{text}_{language}"]) for language in languages if row.get(f"{text}_{language}")} for text in ("title", "unit")
    )
    decimals, sources = row.get("decimals"), str(row.get("sources") or "")
    return Indicator(
        str(row["indicator"]),
        titles,
        str(row.get("unit") or ""),
        int(str(decimals)) if decimals is not None else None,
        [source for source in sources.split(";") if source],
        units,
    )
