"""Verify the files for programs against the tables: every value, status, interval, numerator, denominator and position.

A release without the folder is valid. Files that `index.json` does not name, and files that it names and that are missing, are faults, and so
are files that differ from what `openapi.json` says about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from exports.api import cells, cohesion, describe, positions, territory
from exports.api.cells import Breakdown, IndicatorCells, LevelCells
from exports.api.encode import Floats, rounded, statuses
from exports.api.indicator_files import EXACT, SHOWN
from exports.api.territory import Territory
from exports.model import layout
from exports.verify.api_description import ApiDescription

OPENAPI = layout.api_path("openapi")
FIXED = ("areas", "index", "indicators", "objective_measures", "openapi")


def faults(folder: Path) -> Iterator[str]:
    """Yield what differs from the tables in `parquet/`. Raises if a file cannot be read or has another shape."""
    if not (folder / layout.API).is_dir():
        return
    files = _Files(folder)
    try:
        yield from _table_faults(folder, files)
        files.read_rest()
    finally:
        yield from files.faults


def _table_faults(folder: Path, files: _Files) -> Iterator[str]:
    index = files.read("index")
    yield from _files(folder, index)
    parquet = folder / "parquet"
    areas = files.read("areas")
    published = territory.read(parquet, [level["level"] for level in areas["levels"]])
    if areas["areas"]["code"] != published.table["ref_area"].to_list():
        yield f"{layout.api_path('areas')}: its areas differ from the table"
        return
    texts = describe.read(parquet, index["languages"])
    bundles = _Bundles(files, published)
    with_values = []
    for of_table in cells.read(parquet / "indicator_values.parquet", published):
        with_values.append(of_table.id)
        decimals = texts.decimals(of_table.id)
        for name, check in (((of_table.id,), _newest), ((of_table.id, "series"), _series)):
            if files.has("indicators", *name):
                path = layout.api_path("indicators", *name)
                yield from (f"{path}: {fault}" for fault in check(files.read("indicators", *name), of_table, decimals))
        yield from bundles.faults(of_table, decimals)
    if index["indicators"] != with_values:
        yield f"{layout.api_path('index')}: its indicators differ from the table"
    differences = cohesion.CohesionTables(parquet, published)
    for name in index["cohesion"]:
        expected = differences.document(name)
        if files.has("cohesion", name) and orjson.loads(orjson.dumps(expected)) != files.read("cohesion", name):
            yield f"{layout.api_path('cohesion', name)}: differs from the tables"


class _Files:
    """The files for programs. `faults` are the differences between openapi.json and the files that were read so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unread = {path.relative_to(folder).as_posix() for path in (folder / layout.API).rglob("*.json")} - {OPENAPI}
        self._description: ApiDescription | None = None
        self.faults: list[str] = []
        if (folder / OPENAPI).is_file():
            try:
                self._description = ApiDescription(orjson.loads((folder / OPENAPI).read_bytes()))
                self.faults = [f"{OPENAPI}: {fault}" for fault in self._description.faults(sorted(map(_name, self._unread)))]
            except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
                self.faults = [f"{OPENAPI}: cannot be read: {type(error).__name__}: {error}"]

    def has(self, *name: str) -> bool:
        return (self._folder / layout.api_path(*name)).is_file()

    def read(self, *name: str) -> Any:
        """Return the content of a file."""
        return self._read(layout.api_path(*name))

    def read_rest(self) -> None:
        """Compare all files that were not read yet with their description."""
        for path in sorted(self._unread):
            self._read(path)

    def _read(self, path: str) -> Any:
        content = orjson.loads((self._folder / path).read_bytes())
        if self._description and path in self._unread:
            self._unread.remove(path)
            self.faults += (f"{path}: {fault}" for fault in self._description.file_faults(_name(path), content))
        return content


def _name(path: str) -> str:
    """Return the path of a file as openapi.json has it."""
    return path.removeprefix(layout.API)


def _files(folder: Path, index: Mapping[str, Any]) -> Iterator[str]:
    expected = {layout.api_path(name) for name in FIXED}
    expected |= {layout.api_path("indicators", name) for name in index["indicators"]}
    expected |= {layout.api_path("indicators", name, "series") for name in index["indicators"]}
    expected |= {layout.api_path("cohesion", name) for name in index["cohesion"]}
    expected |= {layout.api_path("indices", about["index"]) for about in index["indices"]}
    expected |= {layout.api_path("areas", name) for name in index["bundles"]}
    there = {path.relative_to(folder).as_posix() for path in (folder / layout.API).rglob("*") if path.is_file()}
    yield from (f"{path}: missing" for path in sorted(expected - there))
    yield from (f"{path}: {layout.api_path('index')} does not name it" for path in sorted(there - expected))


def _matrix(value: Any, shape: tuple[int, ...]) -> Floats:
    """Return a list of numbers as an array; all missing if a file has left it out."""
    return np.full(shape, np.nan) if value is None else np.array(value, dtype=np.float64).reshape(shape)


def _same(left: Floats, right: Floats) -> bool:
    return np.array_equal(left, right, equal_nan=True)


def _cell_faults(
    shown: Sequence[Mapping[str, Any]],
    expected: Sequence[Breakdown],
    rows: Any,
    columns: Any,
    decimals: int | None,
    *,
    by_area: bool = False,
) -> Iterator[str]:
    """Compare the breakdowns of a file with those of the table. `rows` and `columns` choose the cells; `by_area` is areas first."""
    if [(breakdown["sex"], breakdown["age"]) for breakdown in shown] != [(breakdown.sex, breakdown.age) for breakdown in expected]:
        yield "its breakdowns differ from the table"
        return
    for breakdown, table in zip(shown, expected, strict=True):

        def part(array: Any) -> Any:
            chosen = array[rows][..., columns]
            return chosen.T if by_area else chosen

        status = part(table.status)
        if breakdown["status"] != statuses(status):
            yield f"the statuses of {breakdown['sex']}, {breakdown['age']} differ from the table"
        for name, column in SHOWN.items():
            if not _same(_matrix(breakdown.get(name), status.shape), rounded(part(table.numbers[column]), decimals)):
                yield f"{name} of {breakdown['sex']}, {breakdown['age']} differs from the table"
        for name in () if by_area else EXACT:
            if not _same(_matrix(breakdown.get(name), status.shape), part(table.numbers[name])):
                yield f"{name} of {breakdown['sex']}, {breakdown['age']} differs from the table"


def _series(document: Mapping[str, Any], table: IndicatorCells, decimals: int | None) -> Iterator[str]:
    if [(shown["level"], shown["first"], shown["periods"]) for shown in document["levels"]] != [
        (level.level.id, level.level.first, list(level.periods)) for level in table.levels
    ]:
        yield "its levels or periods differ from the table"
        return
    for shown, level in zip(document["levels"], table.levels, strict=True):
        yield from _cell_faults(shown["breakdowns"], level.breakdowns, slice(None), slice(None), decimals)


def _newest(document: Mapping[str, Any], table: IndicatorCells, decimals: int | None) -> Iterator[str]:
    levels = [(level, level.newest) for level in table.levels if level.newest is not None]
    if [(shown["level"], shown["first"], shown["period"]) for shown in document["levels"]] != [
        (level.level.id, level.level.first, level.periods[newest]) for level, newest in levels
    ]:
        yield "its levels or periods differ from the table"
        return
    for shown, (level, newest) in zip(document["levels"], levels, strict=True):
        present = [breakdown for breakdown in level.breakdowns if breakdown.status[newest].any()]
        yield from _cell_faults(shown["breakdowns"], present, newest, slice(None), decimals)


class _Bundles:
    """The files of places, which have all indicators, for a comparison with one indicator at a time."""

    def __init__(self, files: _Files, territory: Territory) -> None:
        self._territory = territory
        self._entries: dict[str, dict[str, bytes]] = {}
        for bundle in territory.bundles:
            if files.has("areas", bundle.id):
                document = files.read("areas", bundle.id)
                self._entries[bundle.id] = {entry["indicator"]: orjson.dumps(entry) for entry in document["indicators"]}

    def faults(self, table: IndicatorCells, decimals: int | None) -> Iterator[str]:
        for level in table.levels:
            place = {}
            if level.newest is not None:
                place = dict(positions.of_level(level.breakdowns[0].values[level.newest], level.level.first, self._territory))
            for bundle in self._territory.bundles:
                if bundle.level.id != level.level.id or bundle.id not in self._entries:
                    continue
                columns = bundle.areas - level.level.first
                present = [breakdown for breakdown in level.breakdowns if breakdown.status[:, columns].any()]
                text = self._entries[bundle.id].pop(table.id, None)
                path = layout.api_path("areas", bundle.id)
                if text is None:
                    yield from [f"{path}: {table.id} is missing"] if present else []
                    continue
                for fault in self._entry(orjson.loads(text), level, present, columns, decimals, place):
                    yield f"{path}: {table.id}: {fault}"

    def _entry(
        self, entry: Any, level: LevelCells, present: Sequence[Breakdown], columns: Any, decimals: int | None, place: Mapping[str, Any]
    ) -> Iterator[str]:
        newest = None if level.newest is None else level.periods[level.newest]
        if entry["periods"] != list(level.periods) or entry["newest"] != newest:
            yield "its periods differ from the table"
            return
        yield from _cell_faults(entry["breakdowns"], present, slice(None), columns, decimals, by_area=True)
        if level.newest is None:
            return
        for name in EXACT:
            if not _same(_matrix(entry[name], (len(columns),)), level.breakdowns[0].numbers[name][level.newest, columns]):
                yield f"{name} differs from the table"
        for group, expected in place.items():
            shown = entry["positions"][group]
            for name in ("below", "equal"):
                if [-1 if count is None else count for count in shown[name]] != getattr(expected, name)[columns].tolist():
                    yield f"the positions among {group} differ from the table"
