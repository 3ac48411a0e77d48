"""Write all files below `api/v1` from the tables of a release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from exports.api import cells, describe, indicator_files, indices, measures, openapi, places, territory
from exports.api.cohesion import CohesionTables
from exports.api.comparisons import ComparedTables
from exports.api.encode import document, number
from exports.api.territory import NOWHERE, Territory
from exports.model import checksums, layout
from exports.model.info import Context, FileFacts
from exports.model.reuse import Reuse, key

FORMAT = "api"
VERSION = "1.0.0"
"""Version of the interface: the first number rises when a reader of these files breaks, and the folder with it."""
NEEDED = {
    "areas": {"ref_area", "name", "level"},
    "indicators": {"indicator"},
    "indicator_values": {"indicator", "ref_area", "time_period", "sex", "age", "obs_value", "obs_status"},
}
"""The columns that the tables must have, by table."""
READ = (
    *NEEDED, "area_parents", "breaks", "cohesion_convergence", "cohesion_dispersion", "community", "comparisons", "index_components",
    "indices", "objective_measures", "peers", "status_notes", "sustainability", "trends",
)  # fmt: skip
"""The tables that the files are made from."""


def write(folder: Path, context: Context, reuse: Reuse) -> dict[str, FileFacts]:
    """Write the files to `folder`, which has the Parquet files of all tables, and return size and checksum by path.

    Nothing is written if the pack does not want the format or the tables lack columns that it needs. Files that did not change are linked.
    Raises ReleaseError if an indicator cannot be a file name.
    """
    columns = {table.name: {column.name for column in table.columns} for table in context.tables}
    if FORMAT not in context.info.formats or not all(needed <= columns.get(name, set()) for name, needed in NEEDED.items()):
        return {}
    paths = list(_Writer(folder, context, reuse).write())
    return {path: reuse.linked.get(path) or checksums.facts(folder / path) for path in sorted(paths)}


class _Writer:
    """Writes the files of one release."""

    def __init__(self, folder: Path, context: Context, reuse: Reuse) -> None:
        self._folder, self._context, self._reuse = folder, context, reuse
        self._parquet = folder / "parquet"
        info = context.info
        self._territory = territory.read(self._parquet, list(info.levels))
        self._texts = describe.read(self._parquet, info.languages, info.measures)
        tables = self._digests("areas", "area_parents", "breaks", "indicators", "status_notes")
        self._common = key("api", VERSION, info.languages, list(info.levels), info.measures, tables)

    def write(self) -> Iterator[str]:
        (self._folder / layout.API).mkdir(parents=True)
        abouts, bundles = {}, _Bundles(self._territory)
        compared, cohesion = ComparedTables(self._parquet, self._territory), CohesionTables(self._parquet, self._territory)
        for indicator in cells.read(self._parquet / "indicator_values.parquet", self._territory):
            about = abouts[indicator.id] = describe.indicator(indicator.id, self._texts, indicator)
            decimals, comparison = about["decimals"], compared.of(indicator.id)
            changed = key(self._common, indicator.id, *(self._digest(name, indicator.id) for name in ("indicator_values", "comparisons")))
            yield self._file(
                changed, partial(indicator_files.newest, indicator, about, self._territory, comparison), "indicators", indicator.id
            )
            yield self._file(changed, partial(indicator_files.series, indicator, decimals), "indicators", indicator.id, "series")
            bundles.add(places.of_indicator(indicator, decimals, self._territory, comparison))
            if (differences := cohesion.document(indicator.id)) is not None:
                yield self._file(None, partial(dict, differences), "cohesion", indicator.id)
        known = indices.read(self._parquet, self._territory)
        for index in known:
            yield self._file(None, partial(indices.document, index, self._texts, self._territory), "indices", index.id)
        for bundle in self._territory.bundles:
            scores = [indices.of_bundle(index, bundle.areas) for index in known if index.level.id == bundle.level.id]
            yield self._file(None, partial(bundles.document, bundle, scores), "areas", bundle.id)
        listed = [abouts.get(name) or describe.indicator(name, self._texts, None) for name in self._texts.indicators]
        notes = {note: {"text": self._texts.of(row, "text"), "source": row["source"]} for note, row in self._texts.notes.items()}
        yield self._file(
            None, lambda: {"indicators": listed, "sources": describe.sources(self._context.info), "notes": notes}, "indicators"
        )  # fmt: skip
        yield self._file(None, self._areas, "areas")
        yield self._file(None, lambda: measures.document(self._parquet, self._texts, self._context.info), "objective_measures")
        yield self._file(None, lambda: self._index(list(abouts), known), "index")
        yield self._file(None, lambda: openapi.document(self._context.info, VERSION, self._names()), "openapi")

    def _file(self, changed: str | None, make: Callable[[], Any], *name: str) -> str:
        """Write a file, or link it if it did not change under the key `changed`, and return its path."""
        path = layout.api_path(*name)
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if changed is None or not self._reuse.link(self._folder, [path], changed):
            target.write_bytes(document(make()))
        return path

    def _names(self) -> list[str]:
        """Return the paths of the files that were written, as openapi.json has them."""
        return [f"/{path.relative_to(self._folder / layout.API).as_posix()}" for path in (self._folder / layout.API).rglob("*.json")]

    def _digest(self, table: str, part: str) -> str | None:
        note = self._reuse.tables.get(table)
        return note.digest.parts.get(part if note.digest.by == layout.PART else "") if note else None

    def _digests(self, *tables: str) -> list[Any]:
        return [dict(self._reuse.tables[name].digest.parts) if name in self._reuse.tables else None for name in tables]

    def _areas(self) -> dict[str, Any]:
        """Return `areas.json`."""
        info, table = self._context.info, self._territory.table

        def column(name: str) -> list[Any]:
            return [value if value != "" else None for value in table[name].to_list()] if name in table.columns else [None] * table.height

        def degrees(name: str) -> list[Any]:
            return [number(value, 5) for value in column(name)]

        place = {area: n for n, bundle in enumerate(self._territory.bundles) for area in bundle.areas.tolist()}
        return {
            "levels": [
                {"level": level.id, "title": dict(info.levels.get(level.id, {})), "first": level.first, "count": level.count}
                for level in self._territory.levels
            ],
            "bundles": [bundle.id for bundle in self._territory.bundles],
            "areas": {
                "code": table["ref_area"].to_list(),
                "name": column("name"),
                "country": column("country"),
                "parent": [None if area == NOWHERE else area for area in self._territory.parent.tolist()],
                "parents": self._territory.parents,
                "population": [number(people) for people in territory.population(self._parquet, self._territory)],
                "lon": degrees("lon"),
                "lat": degrees("lat"),
                "area_km2": [number(value) for value in column("area_km2")],
                "valid_from": column("valid_from"),
                "valid_to": column("valid_to"),
                "bundle": [place[area] for area in range(table.height)],
            },
        }

    def _index(self, with_values: list[str], known: list[indices.Index]) -> dict[str, Any]:
        """Return `index.json`, the only file that names the release."""
        info = self._context.info
        return {
            "api": VERSION,
            "version": self._context.version,
            "released": info.timestamp,
            "pack": info.pack,
            "title": describe.by_language(info.title, info),
            "publisher": describe.by_language(info.publisher.get("name"), info),
            "licence": info.licence_of_all,
            "languages": list(info.languages),
            "country": info.country,
            "statuses": describe.status_list(info.languages),
            "sexes": describe.sex_list(info.languages),
            "indicators": with_values,
            "cohesion": sorted(path.stem for path in (self._folder / layout.API / "cohesion").glob("*.json")),
            "indices": [indices.describe(index, self._texts) for index in known],
            "bundles": [bundle.id for bundle in self._territory.bundles],
        }


class _Bundles:
    """What the files of places say about indicators, as JSON, so that the numbers of one indicator are in memory at a time."""

    def __init__(self, territory: Territory) -> None:
        self._territory = territory
        self._entries: dict[str, list[orjson.Fragment]] = {bundle.id: [] for bundle in territory.bundles}

    def add(self, entries: Mapping[str, Any]) -> None:
        for name, entry in entries.items():
            self._entries[name].append(orjson.Fragment(document(entry).rstrip()))

    def document(self, bundle: territory.Bundle, scores: list[dict[str, Any]]) -> dict[str, Any]:
        """Return `areas/<bundle>.json`."""
        table, areas = self._territory.table, bundle.areas.tolist()
        return {
            "bundle": bundle.id,
            "level": bundle.level.id,
            "parent": None if bundle.parent == NOWHERE else bundle.parent,
            "areas": areas,
            "codes": [table["ref_area"][area] for area in areas],
            "names": [table["name"][area] for area in areas],
            "peers": [self._territory.peers[area] for area in areas],
            "indicators": self._entries[bundle.id],
            "indices": scores,
        }
