"""From observations back to the bytes: snapshots of the archive, their rows and texts, corrections, quarantine, counted entries."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from pipelines import readers
from pipelines.core import versions
from pipelines.explain.facts import Key, Observation, Place
from pipelines.explain.reread import Correction, Given, Replay, columns_of, described, totalled
from pipelines.explain.warehouse import Warehouse
from pipelines.extract.snapshots import sha256_of
from pipelines.lake.ingest import rows as ingest
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.counted import universe_of
from pipelines.lake.manifest import Manifest
from pipelines.lake.mapping import counts
from pipelines.lake.quarantine import quarantine_frame
from pipelines.lake.territory import Territory
from pipelines.packs.expressions import ExpressionError
from pipelines.packs.schema import CountedSource, FetchedSource, ObservationsMap
from pipelines.packs.workspace import Workspace


@dataclass(frozen=True)
class Entry:
    """An event or an entry of a register that was counted: where it stands, and nothing of what it says."""

    source: str
    part: str
    row: int
    snapshot: str


@dataclass(frozen=True)
class Refusal:
    """A row, or a single cell of it, that lies in quarantine."""

    row: int
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True)
class Trace:
    """Where an observation comes from. `read` is the value that its rows give when they are read again; `fault` why they cannot be."""

    observation: Observation
    rows: tuple[int, ...] = ()
    texts: dict[int, dict[str, str | None]] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    entries: tuple[Entry, ...] = ()
    declared: dict[str, Any] = field(default_factory=dict)
    read: float | None = None
    was_read: bool = False
    fault: str = ""


class Evidence:
    """The archive and the lake of a home, asked for what stands behind observations."""

    def __init__(self, workspace: Workspace, warehouse: Warehouse) -> None:
        self.pack = workspace.pack
        self.workspace = workspace
        self.warehouse = warehouse
        self.manifest = Manifest.current(workspace)
        self.context = Context(workspace)
        self._replays: dict[tuple[str, str], Replay] = {}
        self._texts: dict[str, pl.DataFrame] = {}
        self._given: dict[tuple[str, str], tuple[set[str], dict[Key, list[Given]]]] = {}
        self._entries: dict[str, dict[tuple[str, str], pl.DataFrame]] = {}

    # -------------------------------------------------------------------------------------------------------------- snapshots

    def snapshot(self, source: str, part: str, sha256: str) -> dict[str, Any]:
        """Return what is known of a snapshot, and whether the archive still holds exactly these bytes."""
        told = self.warehouse.snapshots.get((source, part), {})
        told = told if told.get("sha256") == sha256 else {"source": source, "part": part, "sha256": sha256}
        kept = self.context.archive.find(source, part, sha256)
        more = (
            {"url": kept.url, "bytes": kept.bytes, "fetched_at": kept.fetched_at, "final_url": kept.final_url or kept.url} if kept else {}
        )
        about = self.warehouse.sources.get(source, {})
        path = self.context.archive.path(sha256)
        return {
            **told, **more, "title": about.get("title"), "publisher": kept.publisher if kept and kept.publisher else about.get("publisher"),
            "licence": kept.licence if kept and kept.licence else about.get("licence"),
            "archived": str(path.relative_to(self.workspace.root)), "intact": path.is_file() and sha256_of(path) == sha256,
        }  # fmt: skip

    # ------------------------------------------------------------------------------------------------------------ observations

    def traces(self, observations: Iterable[Observation], whole: bool) -> dict[Observation, Trace]:
        """Return the trace of each observation.

        With `whole`, every row is read again and its texts are shown; without, only where the lake does not say which rows they are
        (aggregates) or what was corrected.
        """
        groups: dict[tuple[str, str], list[Observation]] = defaultdict(list)
        for observation in observations:
            groups[observation.source, observation.part].append(observation)
        found: dict[Observation, Trace] = {}
        for (name, part), group in groups.items():
            source = self.pack.sources.get(name)
            try:
                if name in self.pack.counted:
                    found |= {o: self._counted(self.pack.counted[name], o) for o in group}
                elif source is None or not isinstance(source.map, ObservationsMap):
                    found |= {o: Trace(o, _first(o), fault="its source is no longer declared") for o in group}
                else:
                    found |= self._read(source, part, group, whole)
            except (readers.UnreadableSnapshot, ExpressionError, pl.exceptions.PolarsError, OSError) as error:
                found |= {o: Trace(o, _first(o), fault=f"its snapshot cannot be read again: {error}") for o in group}
        return found

    def _read(self, source: FetchedSource, part: str, group: list[Observation], whole: bool) -> dict[Observation, Trace]:
        spec = source.map
        assert isinstance(spec, ObservationsMap)
        gone = {o.key.measure for o in group} - set(spec.measures)
        again = [o for o in group if o.key.measure not in gone and (whole or o.aggregate is not None)]
        given = self._rows_given(source, part, group[0].snapshot or "", {o.key.measure for o in again}) if again else {}
        found: dict[Observation, Trace] = {}
        for observation in group:
            measure = observation.key.measure
            if measure in gone:
                found[observation] = Trace(observation, _first(observation), fault=f"its source no longer declares {measure}")
                continue
            mine = given.get(observation.key, []) if observation in again else []
            if observation.aggregate is None and observation.row is not None:
                mine = [g for g in mine if g.row == observation.row]
            rows = tuple(g.row for g in mine) or _first(observation)
            texts, corrections = {}, []
            if whole or source.corrections:
                replay = self._replay(source, part, observation.snapshot or "")
                texts = replay.texts(rows, measure) if whole else {}
                corrections = [c for found_in in replay.corrections(rows).values() for c in found_in]
            uses = set(columns_of(spec, spec.measures[measure]))
            found[observation] = Trace(
                observation, rows, texts, tuple(corrections), self._refusals(observation, rows, uses), (), described(spec.measures[measure]),
                totalled(mine, observation.aggregate), bool(mine),
            )  # fmt: skip
        return found

    def _replay(self, source: FetchedSource, part: str, sha256: str) -> Replay:
        if (source.id, part) not in self._replays:
            if f"{source.id}/{sha256}" not in self._texts:
                if not self.context.archive.path(sha256).is_file():
                    raise readers.UnreadableSnapshot(f"{sha256} is not in the archive")
                self._texts[f"{source.id}/{sha256}"] = ingest.read_text(self.context, source, sha256)[0]
            self.context.territory = self._territory
            self._replays[source.id, part] = Replay(self.context, source, part, self._texts[f"{source.id}/{sha256}"])
        return self._replays[source.id, part]

    def _rows_given(self, source: FetchedSource, part: str, sha256: str, measures: set[str]) -> dict[Key, list[Given]]:
        known, given = self._given.get((source.id, part), (set(), {}))
        if not measures <= known:
            known, given = known | measures, self._replay(source, part, sha256).given(known | measures)
            self._given[source.id, part] = (known, given)
        return given

    # -------------------------------------------------------------------------------------------------------------- quarantine

    @cached_property
    def _quarantine(self) -> dict[tuple[str, str, str], dict[int, list[Refusal]]]:
        found: dict[tuple[str, str, str], dict[int, list[Refusal]]] = defaultdict(lambda: defaultdict(list))
        for row in quarantine_frame(self.workspace).iter_rows(named=True):
            refusal = Refusal(row["row_number"], row["column"], row["value"], row["reason"])
            found[row["source"], row["part"], row["snapshot"]][row["row_number"]].append(refusal)
        return found

    def _refusals(self, observation: Observation, rows: Iterable[int], uses: set[str]) -> tuple[Refusal, ...]:
        """Return what was refused of the rows: whole rows, and cells that the measure uses."""
        in_part = self._quarantine.get((observation.source, observation.part, observation.snapshot or ""), {})
        wanted = {None, observation.key.measure, *uses}
        return tuple(r for row in rows for r in in_part.get(row, []) if r.column in wanted)

    # ------------------------------------------------------------------------------------------------------------------ counts

    def _counted(self, counted: CountedSource, observation: Observation) -> Trace:
        place = Place(observation.key.measure, observation.key.ref_area, observation.key.time_period)
        entries = self._entries_of(counted).get((place.ref_area, place.time_period))
        declared = {"from": counted.from_, "where": counted.where, "value": counted.measures.get(place.measure)}
        if entries is None:
            return Trace(observation, declared=declared, read=0.0, was_read=True)
        found = counts.count_entries(counted, entries, self._territory, None, self.context.sandbox)
        mine = found.filter(pl.col("measure") == place.measure)["obs_value"]
        listed = tuple(Entry(*row) for row in entries.select("source", "part", "row_number", "snapshot").iter_rows())
        return Trace(observation, entries=listed, declared=declared, read=mine[0] if len(mine) else None, was_read=True)

    def _entries_of(self, counted: CountedSource) -> dict[tuple[str, str], pl.DataFrame]:
        if counted.id not in self._entries:
            self.context.territory = self._territory
            universe = universe_of(self.context, counted.universe)
            entries = counts.select_entries(
                counted, self._lake_of(counted), self._territory, universe, self._year(counted), self.context.sandbox
            )
            groups = entries.sort("source", "part", "row_number").group_by("ref_area", "time_period", maintain_order=True)
            self._entries[counted.id] = {(str(key[0]), str(key[1])): frame for key, frame in groups}
        return self._entries[counted.id]

    def _lake_of(self, counted: CountedSource) -> pl.DataFrame:
        frame = self._everything(counted.from_)
        merges = self._everything("event_merges")
        if counted.from_ == "events" and merges.height:
            return frame.join(merges, on=["source", "part", "row_number"], how="anti", maintain_order="left")
        return frame

    def feeds(self, source: str) -> list[tuple[str, str, str]]:
        """Return source, part and sha256 of every snapshot out of whose entries `source` counts; none where it is no counted source."""
        counted = self.pack.counted.get(source)
        return [
            (name, part, at.snapshot)
            for name, known in self.manifest.sources.items()
            if counted is not None and known.kind == counted.from_
            for part, at in known.parts.items()
        ]

    def _everything(self, kind: str) -> pl.DataFrame:
        return self.context.lake.read_all(self.manifest.files.get(kind, []), kind)

    def _year(self, counted: CountedSource) -> int:
        feeding = [s for s in self.manifest.sources.values() if s.kind == counted.from_]
        years = [int(p.fetched_at[:4]) for s in feeding for p in s.parts.values() if p.fetched_at]
        return max(years, default=self.context.settings.now().year)

    @cached_property
    def _territory(self) -> Territory:
        return Territory(
            self._everything("areas"), self._everything("area_parents"), self._everything("area_codes"), self._everything("area_attributes")
        )

    # ------------------------------------------------------------------------------------------------------------------- notes

    def notes(self) -> list[str]:
        """Return in words what has changed since the run, so that reading again may give something else."""
        told = []
        if self.manifest.pack_digest not in (None, self.pack.digest):
            told.append(
                "The declarations have changed since the run: its numbers are explained by those of the run, rows are read by those of now."
            )
        if self.manifest.code_version not in (None, versions.LAKE):
            told.append("The code that reads snapshots has changed since the run.")
        newer = [
            name if not part else f"{name} {part}"
            for name, source in self.manifest.sources.items()
            for part, at in source.parts.items()
            if (known := self.warehouse.snapshots.get((name, part))) and at.snapshot != known["sha256"]
        ]
        if newer:
            told.append(f"The lake has newer snapshots than the warehouse was built from: {json.dumps(newer, ensure_ascii=False)}.")
        return told


def _first(observation: Observation) -> tuple[int, ...]:
    return () if observation.row is None else (observation.row,)
