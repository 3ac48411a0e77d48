"""Write packs of any size: areas x years x measures at up to four levels, one ratio indicator for every measure but the population.

The same size always gives the same bytes. The values are random but plausible: counts and amounts in proportion to the population,
and one value in a hundred is missing. A source has five measures and one Parquet file a year, so a change of one source leaves most
indicators as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

SEED = 15
FIRST_YEAR = 2014
MEASURES_PER_SOURCE = 5
MISSING = 0.01
MULTIPLIER = 1000
# areas of a level in one area of the next level: about as in Czechia, with 6,250 municipalities in 79 districts of 14 regions
CHILDREN = {"district": 80, "region": 6}
LEVELS = {
    1: ("municipality",),
    2: ("municipality", "country"),
    3: ("municipality", "district", "country"),
    4: ("municipality", "district", "region", "country"),
}
FORMATS = ["csv", "parquet", "duckdb"]


@dataclass(frozen=True)
class Size:
    """How many areas of the finest level, years, measures (one of them the population) and levels a pack has."""

    areas: int
    years: int
    measures: int
    levels: int = 4

    def __post_init__(self) -> None:
        if self.areas < 1 or self.years < 1 or self.measures < 2 or self.levels not in LEVELS:
            raise ValueError(f"expected at least 1 area, 1 year, 2 measures and 1 to {len(LEVELS)} levels, not {self}")

    @property
    def observations(self) -> int:
        return self.areas * self.years * self.measures


SIZES = {
    "one": Size(1, 1, 2, 1),
    "1x": Size(6_250, 10, 21),
    "4x": Size(25_000, 10, 21),
    "16x": Size(100_000, 10, 21),
    "60m": Size(100_000, 10, 60),
}


def write(folder: Path, size: Size) -> Path:
    """Write the pack to `folder`, which must not exist, and return it."""
    for name in ("sources", "indicators", "data"):
        (folder / name).mkdir(parents=True)
    _dump(folder / "pack.yml", _pack(size))
    _dump(folder / "sources" / "areas.yml", _areas_source(size))
    for source, names in sources(size).items():
        _dump(folder / "sources" / f"{source}.yml", _source(source, names, size))
    _dump(folder / "indicators" / "ratios.yml", [_ratio(i, size) for i in range(1, size.measures)])
    areas(size).write_csv(folder / "data" / "areas.csv")
    codes = _codes("M", size.areas)
    for year in years(size):
        population = _population(size, year)
        for source, columns in _values(size, year, population):
            pl.DataFrame({"code": codes, **columns}).write_parquet(data_file(folder, source, year))
    return folder


def change_one_value(folder: Path, size: Size) -> None:
    """Add 1 to the first value of the last source and year."""
    source, names = list(sources(size).items())[-1]
    path = data_file(folder, source, years(size)[-1])
    table = pl.read_parquet(path)
    column = table[names[0]].to_list()
    at = next(i for i, value in enumerate(column) if value is not None)
    column[at] += 1
    table.with_columns(pl.Series(names[0], column, dtype=table.schema[names[0]])).write_parquet(path)


def years(size: Size) -> range:
    return range(FIRST_YEAR, FIRST_YEAR + size.years)


def sources(size: Size) -> dict[str, list[str]]:
    """Return the measures of each source of observations."""
    groups = range(1, size.measures, MEASURES_PER_SOURCE)
    return {"population": ["population"]} | {
        f"group{number}": [f"m{i}" for i in range(first, min(first + MEASURES_PER_SOURCE, size.measures))]
        for number, first in enumerate(groups, start=1)
    }


def data_file(folder: Path, source: str, year: int) -> Path:
    return folder / "data" / f"{source}_{year}.parquet"


def areas(size: Size) -> pl.DataFrame:
    """Return code, level and parent of every area, finest level first."""
    tables = []
    count = size.areas
    chain = LEVELS[size.levels]
    for level, above in zip(chain, (*chain[1:], None), strict=True):
        parents = None if above is None else _codes(_letter(above), -(-count // CHILDREN.get(above, count)))
        table = pl.DataFrame({"code": _codes(_letter(level), count)}).with_columns(
            level=pl.lit(level),
            # neighbours in the order of codes have the same parent
            parent=pl.Series(
                [None] * count if parents is None else [parents[i * len(parents) // count] for i in range(count)], dtype=pl.String
            ),
        )
        tables.append(table)
        count = 0 if parents is None else len(parents)
    return pl.concat(tables)


def _letter(level: str) -> str:
    return level[0].upper()


def _codes(letter: str, count: int) -> list[str]:
    return [f"{letter}{n:06d}" for n in range(1, count + 1)]


def _population(size: Size, year: int) -> np.ndarray:
    """Return the inhabitants of every area: many small areas, a few large ones, a little growth every year."""
    base = np.random.default_rng([SEED, 0]).lognormal(6.3, 1.2, size.areas)
    growth = np.random.default_rng([SEED, 1]).normal(1.0, 0.01, size.areas)
    return np.maximum(1, base * growth ** (year - FIRST_YEAR)).astype(np.int64)


def _values(size: Size, year: int, population: np.ndarray) -> Iterator[tuple[str, dict[str, pl.Series]]]:
    """Yield the columns of each source in a year."""
    for source, names in sources(size).items():
        if source == "population":
            yield source, {"population": pl.Series(population)}
        else:
            yield source, {name: _measure(int(name[1:]), year, population) for name in names}


def _measure(number: int, year: int, population: np.ndarray) -> pl.Series:
    """Return the values of one measure: whole counts for odd numbers, amounts with two decimals for even ones."""
    random = np.random.default_rng([SEED, 2, number, year])
    rates = (0.05 + number / 40) * random.lognormal(0, 0.4, len(population))
    values = pl.Series((population * rates).round() if number % 2 else (population * rates * 100).round() / 100)
    missing = pl.Series(random.random(len(population)) < MISSING)
    frame = pl.DataFrame({"value": values, "missing": missing}).select(pl.when(~pl.col("missing")).then(pl.col("value")))
    return frame.to_series().cast(pl.Int64) if number % 2 else frame.to_series()


# ------------------------------------------------------------------------------------------------------------- the pack's YAML files


def _pack(size: Size) -> dict[str, Any]:
    chain = LEVELS[size.levels]
    above = [[name] for name in chain[1:]] + [[]]
    return {
        "id": "scale", "title": "A generated pack", "publisher": {"name": "Nobody"}, "licence": "CC0-1.0", "country": "CZ",
        "formats": FORMATS,
        "levels": [{"id": level, "parents": parents} for level, parents in zip(chain, above, strict=True)], "weight": "population",
    }  # fmt: skip


def _source_facts(source: str) -> dict[str, Any]:
    return {"id": source, "title": source, "publisher": "Nobody", "licence": "CC0-1.0", "theme": "municipal", "confidence": "file"}


def _areas_source(size: Size) -> dict[str, Any]:
    chain = LEVELS[size.levels]
    parents = {above: f"case level when '{level}' then parent end" for level, above in pairwise(chain)}
    return _source_facts("areas") | {
        "fetch": {"url": "data/areas.csv"},
        "read": {"format": "csv"},
        "columns": {"code": {"required": True}, "level": {"required": True, "values": list(chain)}, "parent": {}},
        "key": ["code"],
        "into": "areas",
        "map": {"area": {"ref_area": "code", "level": "level", "name": "code", "codes": {"code": "code"}, "parents": parents}},
    }


def _source(source: str, names: list[str], size: Size) -> dict[str, Any]:
    return _source_facts(source) | {
        "fetch": {"url": f"data/{source}_{{year}}.parquet", "parts": {"year": [str(year) for year in years(size)]}},
        "read": {"format": "parquet"},
        "columns": {
            "year": {"type": "integer", "required": True},
            "code": {"required": True},
            **{n: {"type": "number", "min": 0} for n in names},
        },
        "key": ["year", "code"],
        "into": "observations",
        "map": {"area": {"scheme": "code", "code": "code"}, "period": "year", "measures": {name: name for name in names}},
    }


def _ratio(number: int, size: Size) -> dict[str, Any]:
    return {
        "id": f"ratio{number}",
        "title": f"Measure {number} per {MULTIPLIER} inhabitants",
        "objective": f"ZPO2-{1 + number % 3}",
        "unit": f"per {MULTIPLIER} inhabitants",
        "direction": "higher_better",
        "formula": {"numerator": [{"measure": f"m{number}"}], "denominator": [{"measure": "population"}], "multiplier": MULTIPLIER},
        "levels": list(LEVELS[size.levels]),
    }


def _dump(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=140), encoding="utf-8")
