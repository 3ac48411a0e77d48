"""The areas of a release in the order of `areas.json`, with what is above them, their peers and the bundle that has their values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from exports.api import optional
from exports.api.encode import Ints
from exports.model.moved_points import moved_points

LARGEST_BUNDLE = 20
NOWHERE = -1
_LONGEST_CODE = 60


@dataclass(frozen=True)
class LevelRange:
    """The areas of a level: the number of the first one, and how many there are. Areas of today come first."""

    id: str
    first: int
    count: int

    @property
    def stop(self) -> int:
        return self.first + self.count


@dataclass(frozen=True)
class Bundle:
    """At most 20 areas of one level with the same country and the same area above, whose values are in one file. `parent` is NOWHERE at the top."""

    id: str
    level: LevelRange
    parent: int
    areas: Ints = field(repr=False)


@dataclass(frozen=True)
class Territory:
    """All areas. `table` has the columns of the table `areas` in the order of `areas.json`.

    Arrays have an element per area. `parent`: the area above that an area is compared within, which is the one of the last level in the
    order of the pack, or NOWHERE. `parents`: all areas directly above. `country`: a number per country. `peers`: similar areas, nearest first.
    """

    table: pl.DataFrame
    numbers: Mapping[str, int]
    levels: Sequence[LevelRange]
    parent: Ints
    parents: Sequence[Sequence[int]]
    country: Ints
    countries: Sequence[str]
    peers: Sequence[Sequence[int]]
    bundles: Sequence[Bundle]

    def level(self, name: str) -> LevelRange | None:
        return next((level for level in self.levels if level.id == name), None)

    @cached_property
    def padded_peers(self) -> Ints:
        """The peers as a matrix with a row per area, NOWHERE after the last one."""
        padded = np.full((len(self.peers), max(map(len, self.peers), default=0)), NOWHERE, dtype=np.int64)
        for area, peers in enumerate(self.peers):
            padded[area, : len(peers)] = peers
        return padded

    def top(self, area: int) -> int:
        """Return the highest area above an area, or NOWHERE."""
        seen = {area}
        above = int(self.parent[area])
        while above != NOWHERE and above not in seen and self.parent[above] != NOWHERE:
            seen.add(above)
            above = int(self.parent[above])
        return above


def read(parquet: Path, order: Sequence[str]) -> Territory:
    """Read the tables `areas`, `area_parents` and `peers` of a release; the last two may be missing. `order` are the levels of the pack."""
    table = pl.read_parquet(parquet / "areas.parquet")
    table = _with_points(table, moved_points(parquet.parent)).with_columns(pl.col("level").fill_null(""))
    published = table["level"].unique().sort().to_list()
    level_order = [*(name for name in order if name in published), *(name for name in published if name not in order)]
    place = {name: number for number, name in enumerate(level_order)}
    former = pl.col("valid_to").fill_null("") != "" if "valid_to" in table.columns else pl.lit(value=False)
    table = table.with_columns(pl.col("level").replace_strict(place, return_dtype=pl.Int64).alias("_level"), former.alias("_former")).sort(
        "_level", "_former", "ref_area"
    )
    numbers = {code: number for number, code in enumerate(table["ref_area"].to_list())}
    of_level = table["_level"].to_numpy()
    counts = np.bincount(of_level, minlength=len(level_order)).tolist()
    firsts = np.concatenate([[0], np.cumsum(counts)]).tolist()
    levels = [LevelRange(name, int(firsts[number]), int(counts[number])) for number, name in enumerate(level_order)]
    parents = _parents(parquet, numbers)
    parent = np.array([max(above, key=lambda a: (of_level[a], -a), default=NOWHERE) for above in parents], dtype=np.int64)
    names = [text or "" for text in (table["country"].to_list() if "country" in table.columns else [""] * table.height)]
    countries = sorted(set(names))
    country = np.array([countries.index(name) for name in names], dtype=np.int64)
    table = table.drop("_level", "_former")
    bundles = list(_bundles(levels, parent, country, table["ref_area"].to_list()))
    return Territory(table, numbers, levels, parent, parents, country, countries, _peers(parquet, numbers), bundles)


def _with_points(table: pl.DataFrame, moved: Mapping[str, tuple[float, float]]) -> pl.DataFrame:
    """Return the areas with the points that maps have: those of the source, or `moved`, as the files of boundaries list them."""
    if not moved or not {"lon", "lat"} <= set(table.columns):
        return table
    axes = {"lon": 0, "lat": 1}
    places = {name: {ref: point[axis] for ref, point in moved.items()} for name, axis in axes.items()}
    return table.with_columns(
        pl.col("ref_area").replace_strict(place, default=pl.col(name), return_dtype=pl.Float64).alias(name)
        for name, place in places.items()
    )


def _parents(parquet: Path, numbers: Mapping[str, int]) -> list[list[int]]:
    """Return the areas directly above each area: those of today, or those of the last day of a former area."""
    above: list[list[int]] = [[] for _ in numbers]
    path = optional.path(parquet, "area_parents")
    if path is None:
        return above
    links = pl.read_parquet(path).with_columns(pl.col("valid_to").fill_null("").alias("end"))
    links = links.with_columns(pl.when(pl.col("end") == "").then(pl.lit("~")).otherwise("end").alias("end"))
    last = (
        links.filter(pl.col("end") == pl.col("end").max().over("ref_area")).select("ref_area", "parent").unique().sort("ref_area", "parent")
    )
    for code, parent in last.iter_rows():
        if code in numbers and parent in numbers:
            above[numbers[code]].append(numbers[parent])
    return [sorted(areas) for areas in above]


def _peers(parquet: Path, numbers: Mapping[str, int]) -> list[list[int]]:
    peers: list[list[int]] = [[] for _ in numbers]
    path = optional.path(parquet, "peers")
    if path is not None:
        for code, peer in pl.read_parquet(path).sort("ref_area", "position").select("ref_area", "peer").iter_rows():
            if code in numbers and peer in numbers:
                peers[numbers[code]].append(numbers[peer])
    return peers


def _bundles(levels: Sequence[LevelRange], parent: Ints, country: Ints, codes: Sequence[str]) -> Iterator[Bundle]:
    for level in levels:
        own = np.arange(level.first, level.stop)
        of_parent: dict[int, list[Ints]] = {}
        for above, state in sorted(set(zip(parent[own].tolist(), country[own].tolist(), strict=True))):
            areas = own[(parent[own] == above) & (country[own] == state)]
            of_parent.setdefault(above, []).extend(np.array_split(areas, -(-len(areas) // LARGEST_BUNDLE)))
        for above, parts in of_parent.items():
            name = "-".join([_plain(level.id), *([_plain(codes[above])] if above != NOWHERE else [])])
            yield from (Bundle(f"{name}-{number}", level, above, part) for number, part in enumerate(parts, 1))


def _plain(code: str) -> str:
    """Return a code as part of a file name: letters and digits stay, any other byte is `_` and two hexadecimal digits."""
    text = "".join(c if c.isascii() and c.isalnum() else "".join(f"_{b:02x}" for b in c.encode()) for c in code)
    if len(text) > _LONGEST_CODE:
        text = f"{text[: _LONGEST_CODE // 2]}_{hashlib.sha256(code.encode()).hexdigest()[:16]}"
    return text if text and text[0] != "_" else f"x{text}"


def population(parquet: Path, territory: Territory) -> list[float | None]:
    """Return the newest value of the indicator `population` of each area, None where there is none."""
    people: list[float | None] = [None] * territory.table.height
    rows = (
        pl.scan_parquet(parquet / "indicator_values.parquet")
        .filter(pl.col("indicator") == "population", pl.col("sex") == "_T", pl.col("age") == "_T", pl.col("obs_value").is_not_null())
        .select("ref_area", "time_period", "obs_value")
        .collect()
    )
    for code, _, value in rows.sort("time_period").iter_rows():
        if code in territory.numbers:
            people[territory.numbers[code]] = value
    return people
