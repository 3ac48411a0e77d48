"""From observations back to the bytes: archived snapshots, their rows and texts, corrections, quarantine, counted entries."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from pipelines import readers
from pipelines.core import versions
from pipelines.explain.facts import Key, Observation, Place
from pipelines.explain.reread import Correction, PartReader, RowValue, columns_of, combined_value, declaration_of
from pipelines.explain.warehouse import Warehouse
from pipelines.lake.ingest import reading
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.counted import areas_of
from pipelines.lake.manifest import Manifest
from pipelines.lake.mapping import counts
from pipelines.lake.quarantine import quarantine_frame
from pipelines.lake.territory import Territory
from pipelines.packs.expressions import ExpressionError
from pipelines.packs.schema import CountedSource, FetchedSource, ObservationsMap
from pipelines.packs.workspace import Workspace


@dataclass(frozen=True)
class Entry:
    """Where a counted event or register entry is found. Its content is not shown."""

    source: str
    part: str
    row: int
    snapshot: str


@dataclass(frozen=True)
class QuarantineEntry:
    """A row, or a single cell of it, in quarantine."""

    row: int
    column: str | None
    value: str | None
    reason: str
    cell: str | None = None
    """Which row of the line it is, where a line gives several."""
    source: str | None = None
    """The source of a row that a count may lack."""


@dataclass(frozen=True)
class Trace:
    """Where an observation comes from. `value_read` is the value that its rows give when they are read again; `fault` says why they cannot be."""

    observation: Observation
    rows: tuple[int, ...] = ()
    texts: dict[int, dict[str, str | None]] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    quarantine: tuple[QuarantineEntry, ...] = ()
    entries: tuple[Entry, ...] = ()
    looked_up: tuple[Entry, ...] = ()
    """The rows of other sources from which lookups took cells."""
    declared: dict[str, Any] = field(default_factory=dict)
    value_read: float | None = None
    was_read: bool = False
    fault: str = ""


class ProvenanceReader:
    """Finds what is behind observations, in the archive and in the lake of a workspace."""

    def __init__(self, workspace: Workspace, warehouse: Warehouse) -> None:
        self.pack = workspace.pack
        self.workspace = workspace
        self.warehouse = warehouse
        self.manifest = Manifest.current(workspace)
        self.context = Context(workspace)
        self.context.lookup_tables = {}
        self.context.parts_used = {name: source.parts for name, source in self.manifest.sources.items()}
        self._readers: dict[tuple[str, str], PartReader] = {}
        self._texts: dict[str, pl.DataFrame] = {}
        self._row_values: dict[tuple[str, str], tuple[set[str], dict[Key, list[RowValue]]]] = {}
        self._entries: dict[str, dict[tuple[str, str], pl.DataFrame]] = {}

    def snapshot(self, source: str, part: str, sha256: str) -> dict[str, Any]:
        """Return what is known about a snapshot, and whether the archive still holds exactly these bytes."""
        row = self.warehouse.snapshots.get((source, part), {})
        if row.get("sha256") != sha256:
            row = {"source": source, "part": part, "sha256": sha256}
        archived = self.context.archive.find(source, part, sha256)
        if archived:
            row = row | {
                "url": archived.url, "bytes": archived.bytes, "fetched_at": archived.fetched_at,
                "final_url": archived.final_url or archived.url,
            }  # fmt: skip
        declared = self.warehouse.sources.get(source, {})
        path = self.context.archive.file_of(sha256) or self.context.archive.path(sha256)
        return {
            **row, "title": declared.get("title"),
            "publisher": archived.publisher if archived and archived.publisher else declared.get("publisher"),
            "licence": archived.licence if archived and archived.licence else declared.get("licence"),
            "archived": str(path.relative_to(self.workspace.root)), "intact": self.context.archive.is_intact(sha256),
        }  # fmt: skip

    # ------------------------------------------------------------------------------------------------------------ observations

    def traces(self, observations: Iterable[Observation], whole: bool) -> dict[Observation, Trace]:
        """Return the trace of each observation.

        With `whole`, every row is read again and its texts are returned. Without it, rows are read only where the lake does not say which
        ones they are (aggregates), or to find corrections.
        """
        groups: dict[tuple[str, str], list[Observation]] = defaultdict(list)
        for observation in observations:
            groups[observation.source, observation.part].append(observation)
        traces: dict[Observation, Trace] = {}
        for (name, part), group in groups.items():
            source = self.pack.sources.get(name)
            try:
                if name in self.pack.counted:
                    traces |= {o: self._count_trace(self.pack.counted[name], o) for o in group}
                elif source is None or not isinstance(source.map, ObservationsMap):
                    traces |= {o: Trace(o, _first_row(o), fault="its source is no longer declared") for o in group}
                else:
                    traces |= self._read(source, part, group, whole)
            except (readers.UnreadableSnapshot, ExpressionError, pl.exceptions.PolarsError, OSError) as error:
                traces |= {o: Trace(o, _first_row(o), fault=f"its snapshot cannot be read again: {error}") for o in group}
        return traces

    def _read(self, source: FetchedSource, part: str, group: list[Observation], whole: bool) -> dict[Observation, Trace]:
        spec = source.map
        assert isinstance(spec, ObservationsMap)
        to_read = [o for o in group if o.key.measure in spec.measures and (whole or o.aggregate is not None)]
        values = self._values_of_rows(source, part, group[0].snapshot or "", {o.key.measure for o in to_read}) if to_read else {}
        traces: dict[Observation, Trace] = {}
        for observation in group:
            measure = observation.key.measure
            if measure not in spec.measures:
                traces[observation] = Trace(observation, _first_row(observation), fault=f"its source no longer declares {measure}")
                continue
            row_values = values.get(observation.key, []) if observation in to_read else []
            if observation.aggregate is None and observation.row is not None:
                row_values = [v for v in row_values if v.row == observation.row]
            rows = tuple(v.row for v in row_values) or _first_row(observation)
            texts, corrections, cells = {}, [], None
            looked_up: tuple[Entry, ...] = ()
            if whole or source.corrections or (source.lookups and row_values):
                reader = self._reader(source, part, observation.snapshot or "")
                looked_up = self._looked_up(reader, source, row_values)
                texts = reader.texts(rows, measure, row_values) if whole else {}
                cells = reader.cells_of(row_values) if row_values else None
                corrections = [c for of_row in reader.corrections(rows).values() for c in of_row]
            uses = set(columns_of(spec, spec.measures[measure]))
            traces[observation] = Trace(
                observation, rows, texts, tuple(corrections), self._quarantine_of(observation, rows, uses, cells),
                looked_up=looked_up, declared=declaration_of(spec.measures[measure]), value_read=combined_value(row_values, observation.aggregate),
                was_read=bool(row_values),
            )  # fmt: skip
        return traces

    def _reader(self, source: FetchedSource, part: str, sha256: str) -> PartReader:
        if (source.id, part) not in self._readers:
            options = reading.read_options(self.context, source, part)
            key = f"{source.id}/{sha256}/{options.member}/{options.sheet}/{options.records}"
            if key not in self._texts:
                if not self.context.archive.file_of(sha256):
                    raise readers.UnreadableSnapshot(f"{sha256} is not in the archive")
                self._texts[key] = reading.read_text(self.context, source, sha256, options)[0]
            self.context.territory = self._territory
            self._readers[source.id, part] = PartReader(self.context, source, part, self._texts[key])
        return self._readers[source.id, part]

    def _looked_up(self, reader: PartReader, source: FetchedSource, values: Iterable[RowValue]) -> tuple[Entry, ...]:
        """Return the rows of other sources that lookups matched with the rows of `values`."""
        origins = dict.fromkeys(origin for value in values for origin in reader.origins(value.place))
        return tuple(Entry(name, part, row, self.context.parts_used[name][part].snapshot) for name, part, row in origins)

    def _values_of_rows(self, source: FetchedSource, part: str, sha256: str, measures: set[str]) -> dict[Key, list[RowValue]]:
        done, values = self._row_values.get((source.id, part), (set(), {}))
        if not measures <= done:
            done, values = done | measures, self._reader(source, part, sha256).row_values(done | measures)
            self._row_values[source.id, part] = (done, values)
        return values

    # -------------------------------------------------------------------------------------------------------------- quarantine

    @cached_property
    def _quarantine(self) -> dict[tuple[str, str, str], dict[int, list[QuarantineEntry]]]:
        entries: dict[tuple[str, str, str], dict[int, list[QuarantineEntry]]] = defaultdict(lambda: defaultdict(list))
        for row in quarantine_frame(self.workspace).iter_rows(named=True):
            entry = QuarantineEntry(row["row_number"], row["column"], row["value"], row["reason"], row.get("cell"))
            entries[row["source"], row["part"], row["snapshot"]][row["row_number"]].append(entry)
        return entries

    def _quarantine_of(
        self, observation: Observation, rows: Iterable[int], uses: set[str], cells: set[str | None] | None
    ) -> tuple[QuarantineEntry, ...]:
        """Return the entries of the rows in quarantine: whole rows, and cells that the measure uses.

        Where a line gives several rows, `cells` says which of them the observation comes from, if that is known.
        """
        in_part = self._quarantine.get((observation.source, observation.part, observation.snapshot or ""), {})
        columns = {None, observation.key.measure, *uses}
        return tuple(
            entry
            for row in rows
            for entry in in_part.get(row, [])
            if entry.column in columns and (entry.cell is None or cells is None or entry.cell in cells)
        )

    # ------------------------------------------------------------------------------------------------------------------ counts

    def _count_trace(self, counted: CountedSource, observation: Observation) -> Trace:
        place = Place(observation.key.measure, observation.key.ref_area, observation.key.time_period)
        entries = self._entries_of(counted).get((place.ref_area, place.time_period))
        declared = {"from": counted.from_, "where": counted.where, "value": counted.measures.get(place.measure)}
        if observation.status == "Q":
            refused = self._refused_entries_of(counted, observation)
            listed = tuple(Entry(source, part, row, snapshot) for (source, part, snapshot), row in refused)
            quarantine = tuple(replace(e, source=place[0]) for place, row in refused for e in self._quarantine.get(place, {}).get(row, []))
            return Trace(observation, quarantine=quarantine, entries=listed, declared=declared, was_read=bool(refused))
        if entries is None:
            return Trace(observation, declared=declared, value_read=0.0, was_read=True)
        observations = counts.count_entries(counted, entries, self._territory, None, self.context.sandbox)
        values = observations.filter(pl.col("measure") == place.measure)["obs_value"]
        listed = tuple(Entry(*row) for row in entries.select("source", "part", "row_number", "snapshot").iter_rows())
        return Trace(observation, entries=listed, declared=declared, value_read=values[0] if len(values) else None, was_read=True)

    def _entries_of(self, counted: CountedSource) -> dict[tuple[str, str], pl.DataFrame]:
        if counted.id not in self._entries:
            self.context.territory = self._territory
            universe = areas_of(self.context, counted.universe)
            entries = counts.select_entries(
                counted, self._lake_of(counted), self._territory, universe, self._year(counted), self.context.sandbox
            )
            groups = entries.sort("source", "part", "row_number").group_by("ref_area", "time_period", maintain_order=True)
            self._entries[counted.id] = {(str(key[0]), str(key[1])): frame for key, frame in groups}
        return self._entries[counted.id]

    def _refused_entries_of(self, counted: CountedSource, observation: Observation) -> list[tuple[tuple[str, str, str], int]]:
        """Return source, part and snapshot, and the row, of the entries in quarantine that may belong to a count."""
        period = pl.DataFrame({"time_period": [observation.key.time_period]})
        possible = counts.may_count(counted, self._rows_of("refused_entries"), self.context.sandbox)
        cells = counts.possible_cells(counted, period, possible, self._territory, None)
        rows = cells.filter(pl.col("ref_area") == observation.key.ref_area).sort("source", "part", "row_number")
        return [
            ((source, part, snapshot), row)
            for source, part, snapshot, row in rows.select("source", "part", "snapshot", "row_number").iter_rows()
        ]

    def _lake_of(self, counted: CountedSource) -> pl.DataFrame:
        frame = self._rows_of(counted.from_)
        merges = self._rows_of("event_merges")
        if counted.from_ == "events" and merges.height:
            return frame.join(merges, on=["source", "part", "row_number"], how="anti", maintain_order="left")
        return frame

    def feeds(self, source: str) -> list[tuple[str, str, str]]:
        """Return source, part and sha256 of every snapshot whose entries `source` counts; none where it is not a counted source."""
        counted = self.pack.counted.get(source)
        return [
            (name, part, state.snapshot)
            for name, feed in self.manifest.sources.items()
            if counted is not None and feed.kind == counted.from_
            for part, state in feed.parts.items()
        ]

    def _rows_of(self, kind: str) -> pl.DataFrame:
        return self.context.lake.read_all(self.manifest.files.get(kind, []), kind)

    def _year(self, counted: CountedSource) -> int:
        feeding = [s for s in self.manifest.sources.values() if s.kind == counted.from_]
        return counted.last_year([p.fetched_at or "" for s in feeding for p in s.parts.values()], self.context.settings.now())

    @cached_property
    def _territory(self) -> Territory:
        return Territory(
            self._rows_of("areas"),
            self._rows_of("area_parents"),
            self._rows_of("area_codes"),
            self._rows_of("area_attributes"),
            self._rows_of("area_gaps"),
        )

    # ------------------------------------------------------------------------------------------------------------------- notes

    def notes(self) -> list[str]:
        """Return in words what has changed since the run, because of which reading again may give other values."""
        notes = []
        if self.manifest.pack_digest not in (None, self.pack.digest):
            notes.append(
                "The declarations have changed since the run: numbers are explained by the old ones, rows are read again by the new ones."
            )
        if self.manifest.code_version not in (None, versions.LAKE):
            notes.append("The code that reads snapshots has changed since the run.")
        newer = [
            name if not part else f"{name} {part}"
            for name, source in self.manifest.sources.items()
            for part, state in source.parts.items()
            if (used := self.warehouse.snapshots.get((name, part))) and state.snapshot != used["sha256"]
        ]
        if newer:
            notes.append(f"The lake has newer snapshots than the warehouse was built from: {json.dumps(newer, ensure_ascii=False)}.")
        return notes


def _first_row(observation: Observation) -> tuple[int, ...]:
    return () if observation.row is None else (observation.row,)
