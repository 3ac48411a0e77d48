"""From fetched snapshots to one state of the lake: read, check, map, account for every row, write the manifest. No Dagster, no dbt.

A snapshot that was processed before, under the same declaration and code, is not read again: its receipt stands for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from pipelines import declarations, expressions, fetch, readers
from pipelines import lake as lake_rooms
from pipelines.archive import Archive, Snapshot, slug
from pipelines.expressions import ExpressionError, quote
from pipelines.home import Home
from pipelines.lake import File, Lake, Receipt
from pipelines.mapping import Checked, Mapped, areas, counts, events, observations, placing, register
from pipelines.pack_models import AreasMap, EventsMap, FetchedSource, ObservationsMap
from pipelines.packs import EVENT_COLUMNS, EVENT_FORMATS, Pack, digest
from pipelines.sandbox import Sandbox
from pipelines.settings import Settings
from pipelines.sources import SourceState, States
from pipelines.territory import Territory, resolve
from quality import contracts

Progress = Callable[[str], None]
READERS = 2  # files read at a time: text frames of all parts of a source are in memory until they are mapped


@dataclass
class SourceReport:
    """What a run made of one source."""

    source: str
    kind: str
    parts: dict[str, Receipt] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    stale_since: str | None = None
    down: bool = False  # some part has no good snapshot at all
    conflict_rows: int = 0
    conflict_cells: int = 0
    conflicts: File | None = None
    quarantine: list[File] = field(default_factory=list)

    @property
    def rows_read(self) -> int:
        return sum(r.rows_read for r in self.parts.values())

    @property
    def accepted(self) -> int:
        return sum(r.accepted for r in self.parts.values()) - self.conflict_rows

    @property
    def quarantined(self) -> int:
        return sum(r.quarantined for r in self.parts.values()) + self.conflict_rows

    @property
    def ignored(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for receipt in self.parts.values():
            for reason, count in receipt.ignored.items():
                total[reason] = total.get(reason, 0) + count
        return total

    @property
    def cells_quarantined(self) -> int:
        return sum(r.cells_quarantined for r in self.parts.values()) + self.conflict_cells

    @property
    def warnings(self) -> list[str]:
        return sorted({w for r in self.parts.values() for w in r.warnings})

    def files(self, kind: str) -> list[File]:
        return [r.files[kind] for r in self.parts.values() if kind in r.files]

    def counts(self) -> dict[str, Any]:
        return {
            "rows_read": self.rows_read, "rows_accepted": self.accepted, "rows_quarantined": self.quarantined,
            "rows_ignored": sum(self.ignored.values()), "ignored": self.ignored, "cells_quarantined": self.cells_quarantined,
            "warnings": self.warnings,
        }  # fmt: skip


@dataclass
class IngestReport:
    """The state of the lake after a run."""

    sources: dict[str, SourceReport]
    territory: Territory
    manifest: dict[str, Any]


class Ingest:
    """One run's way from snapshots to the lake. Sources of areas come first: all others need the territory."""

    def __init__(self, pack: Pack, home: Home, settings: Settings, progress: Progress | None = None) -> None:
        self.pack = pack
        self.home = home
        self.settings = settings
        self.archive = Archive(home.archive)
        self.lake = Lake(home.lake)
        self.states = States(home.fetch_state)
        self.sandbox = Sandbox()
        self.progress: Progress = progress or (lambda _: None)
        self.territory = resolve([], pack.file.country)
        self.territory_digest = ""

    def run(self, only: Collection[str] | None = None, done: Callable[[SourceReport], None] | None = None) -> IngestReport:
        """Process every enabled source from its present snapshots, and write the manifest.

        `only` names the sources whose new snapshots are taken up; the others stay at their last good ones.
        """
        reports: dict[str, SourceReport] = {}
        enabled = {name: s for name, s in self.pack.sources.items() if s.enabled}
        for name, source in enabled.items():
            if source.into == "areas":
                reports[name] = self._source(source, only is None or name in only)
                if done:
                    done(reports[name])
        self._resolve([f for r in reports.values() for f in r.files("area_rows")])
        for name, source in enabled.items():
            if source.into != "areas":
                reports[name] = self._source(source, only is None or name in only)
                if done:
                    done(reports[name])
        for name in self.pack.counted:
            if self.pack.counted[name].enabled:
                reports[name] = self._counted(name, reports)
                if done:
                    done(reports[name])
        self.states.save()
        manifest = self._manifest(reports)
        lake_rooms.write_manifest(self.home.manifests, manifest)
        return IngestReport(reports, self.territory, manifest)

    # ----------------------------------------------------------------------------------------------------------- territory

    def _resolve(self, files: list[File]) -> None:
        self.territory_digest = digest([[f.sha256 for f in files], self.pack.file.country, lake_rooms.code_version()])
        self.territory = resolve([self.lake.read(f) for f in files], self.pack.file.country)

    # ------------------------------------------------------------------------------------------------------------- sources

    def _key(self, source: FetchedSource, snapshot: Snapshot) -> str:
        what = source.model_dump(mode="json", exclude={"title", "publisher", "licence", "homepage", "citation", "fetch", "breaks"})
        territory = "" if source.into == "areas" else self.territory_digest
        levels = [level.id for level in self.pack.file.levels]
        return digest([what, snapshot.sha256, snapshot.part, territory, levels, lake_rooms.code_version()])

    def _source(self, source: FetchedSource, fresh: bool) -> SourceReport:
        report = SourceReport(source.id, source.into)
        chosen: dict[str, tuple[SourceState, Snapshot | None]] = {}
        for declared in self.pack.parts(source):
            state = self.states.get(source.id, declared.name)
            sha = state.sha256 if fresh and state.sha256 else state.good
            chosen[declared.name] = (state, self.archive.find(source.id, declared.name, sha) if sha else None)
        self._process(source, report, {p: s for p, (_, s) in chosen.items() if s is not None})
        fallbacks = {}
        for part, (state, snapshot) in chosen.items():
            if part in report.errors and state.good and (snapshot is None or state.good != snapshot.sha256):
                last = self.archive.find(source.id, part, state.good)
                if last:
                    fallbacks[part] = last
        if fallbacks:
            reasons = {p: report.errors[p] for p in fallbacks}
            self._process(source, report, fallbacks)
            report.errors |= reasons
        for part, (state, _) in chosen.items():
            self._settle(report, part, state, fresh)
        self._conflicts(source, report)
        return report

    def _settle(self, report: SourceReport, part: str, state: SourceState, fresh: bool) -> None:
        """Write down what this run learned of one part: good, stale since when and why, or down."""
        error = report.errors.get(part) or state.error
        if part in report.parts and not report.errors.get(part):
            state = replace(state, good=report.parts[part].snapshot)
        if error:
            since = state.stale_since or self.settings.now().strftime("%Y-%m-%dT%H:%M:%SZ")
            state = replace(state, stale_since=since, error=error if fresh else state.error)
            report.errors[part] = error
            if part in report.parts:
                report.stale_since = min(filter(None, (report.stale_since, since)))
            else:
                report.down = True
        elif part in report.parts:
            state = replace(state, stale_since=None)
        else:
            report.down = True
            report.errors[part] = "never fetched"
        self.states.put(report.source, part, state)

    def _process(self, source: FetchedSource, report: SourceReport, snapshots: dict[str, Snapshot]) -> None:
        """Fill `report` with a receipt for each snapshot, or with the reason why it cannot be read."""
        frames: list[pl.DataFrame] = []
        waiting: dict[str, Receipt] = {}
        todo: dict[str, tuple[Snapshot, str]] = {}
        for part, snapshot in snapshots.items():
            report.snapshots[part] = snapshot
            key = self._key(source, snapshot)
            receipt = self.lake.receipt(source.id, part, key)
            if receipt:
                report.parts[part] = receipt
                report.errors.pop(part, None)
                continue
            todo[part] = (snapshot, key)
        if not todo:
            return
        self.progress(f"{source.id}: reading {len(todo)} snapshots")
        with ThreadPoolExecutor(READERS) as pool:
            # parts may share their bytes: those are read once
            texts = {sha: pool.submit(self._text, source, sha) for sha in dict.fromkeys(s.sha256 for s, _ in todo.values())}
        for part, (snapshot, key) in todo.items():
            try:
                frame, ignored = self._without_ignored(source, part, texts[snapshot.sha256].result())
            except (readers.UnreadableSnapshot, ExpressionError) as error:
                report.errors[part] = f"{snapshot.url}: {error}"
                report.snapshots.pop(part)
                continue
            columns = [c for c in frame.columns if not c.startswith("__")]
            counts = {"ignore": ignored} if ignored else {}
            waiting[part] = Receipt(source.id, part, snapshot.sha256, key, frame.height + ignored, 0, 0, counts, 0, columns=columns)
            frames.append(frame)
            report.errors.pop(part, None)
        if not waiting:
            return
        try:
            self._check_and_map(source, report, waiting, pl.concat(frames, how="diagonal"))
        except (readers.UnreadableSnapshot, ExpressionError) as error:
            for part in waiting:
                report.errors[part] = str(error)
                report.snapshots.pop(part, None)

    def _text(self, source: FetchedSource, sha256: str) -> pl.DataFrame:
        """Return the text rows of a snapshot, at least in the columns that are needed."""
        wanted = {spec.from_ or name for name, spec in source.columns.items()}
        for text in (source.read.ignore, *(c.where for c in source.corrections)):
            if text is not None:
                wanted |= expressions.parse(text).columns
        # with a key, rows are compared in all cells of the file
        needed = (
            None
            if source.key or source.read.format in EVENT_FORMATS
            else wanted | {n for c in source.corrections for n in (*c.set, *c.expect)}
        )
        return readers.read(self.archive.path(sha256), source.read, needed)

    def _without_ignored(self, source: FetchedSource, part: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """Return the rows of a part, corrected, without the ignored ones, and how many those are."""
        variables = next(p.variables for p in self.pack.parts(source) if p.name == part)
        frame = frame.with_columns(*(pl.lit(value).alias(name) for name, value in variables.items()), pl.lit(part).alias("__part"))
        frame = self._corrected(source, frame)
        if source.read.ignore is None or not frame.height:
            return frame, 0
        mask = self._mask(source.read.ignore, frame, "read.ignore")
        kept = frame.filter(~mask)
        return kept, frame.height - kept.height

    def _mask(self, expression: str, frame: pl.DataFrame, what: str) -> pl.Series:
        by_name = {c.lower(): c for c in frame.columns}
        used = []
        for name in expressions.parse(expression).columns:
            if name.lower() not in by_name:
                raise readers.UnreadableSnapshot(f"{what} names the column {name}, which the file does not have")
            used.append(by_name[name.lower()])
        numbered = frame.select(*used).with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
        sql = f"select __n, coalesce(cast((\n{expression}\n) as boolean), false) as hit from input order by __n"
        return self.sandbox.query(sql, input=numbered)["hit"]

    def _corrected(self, source: FetchedSource, frame: pl.DataFrame) -> pl.DataFrame:
        for correction in source.corrections:
            mask = self._mask(correction.where, frame, "corrections.where")
            for column in (*correction.expect, *correction.set):
                if column not in frame.columns:
                    raise readers.UnreadableSnapshot(f"corrections name the column {column}, which the file does not have")
            for column, text in correction.expect.items():
                other = frame.filter(mask & (frame[column].fill_null("") != text))
                if other.height:
                    raise readers.UnreadableSnapshot(
                        f"correction ({correction.reason}): {column} is {other[column][0]!r} in row {other['__row'][0]}, {text!r} was expected"
                    )
            if not mask.any():
                raise readers.UnreadableSnapshot(f"correction ({correction.reason}): no row matches {correction.where}")
            frame = frame.with_columns(pl.when(mask).then(pl.lit(v)).otherwise(pl.col(c)).alias(c) for c, v in correction.set.items())
        return frame

    def _rules(self, source: FetchedSource, frame: pl.DataFrame) -> list[contracts.ColumnRule]:
        rules = {
            name: contracts.ColumnRule(
                name=name, source=spec.from_ or name, type=spec.type, required=spec.required, min=spec.min, max=spec.max, pattern=spec.pattern,
                values=tuple(spec.values) if spec.values is not None else None, decimal=spec.decimal or source.read.decimal,
                thousands=spec.thousands or source.read.thousands, personal=spec.personal,
            )
            for name, spec in source.columns.items()
        }  # fmt: skip
        implied = list(source.fetch.parts or {})
        if source.read.format in EVENT_FORMATS:
            implied += [c for c in EVENT_COLUMNS if c in frame.columns]
        for name in implied:
            rules.setdefault(name, contracts.ColumnRule(name=name, source=name, type="string"))
        return list(rules.values())

    def _check_and_map(self, source: FetchedSource, report: SourceReport, waiting: dict[str, Receipt], frame: pl.DataFrame) -> None:
        rules = self._rules(source, frame)
        checked = contracts.check(frame, rules, source.key)
        for column in checked.missing_columns:
            spec = source.columns.get(column)
            if source.on_schema_change == "freeze" or (spec and spec.required) or column in source.key:
                raise readers.UnreadableSnapshot(f"the file has no column {spec.from_ if spec and spec.from_ else column}")
            for receipt in waiting.values():
                receipt.warnings.append(f"no column {spec.from_ if spec and spec.from_ else column} in the file")
        rows = pl.concat(
            [
                checked.accepted.with_columns(pl.lit(False).alias("__rejected")),
                checked.rejected.with_columns(pl.lit(True).alias("__rejected")),
            ],
            how="diagonal",
        )
        shas = {part: receipt.snapshot for part, receipt in waiting.items()}
        mapped = self._map(source, Checked(rows, shas))
        self._account(source, waiting, frame, checked, mapped, rules)
        kind = "area_rows" if source.into == "areas" else source.into
        for part, receipt in waiting.items():
            name = f"{source.id}/{slug(part)}/{receipt.snapshot[:12]}-{receipt.key[:12]}"
            receipt.files[kind] = self.lake.write(kind, name, mapped.rows.filter(pl.col("part") == part))
            self.lake.keep(receipt)
            report.parts[part] = receipt

    def _map(self, source: FetchedSource, checked: Checked) -> Mapped:
        spec = source.map
        if isinstance(spec, ObservationsMap):
            return observations.map_rows(source.id, checked, spec, self.territory, self.sandbox)
        if isinstance(spec, AreasMap):
            return areas.map_rows(source.id, checked, spec, [level.id for level in self.pack.file.levels], self.sandbox)
        if isinstance(spec, EventsMap):
            personal = frozenset(n for n, c in source.columns.items() if c.personal)
            return events.map_rows(source.id, checked, spec, self.territory, self.sandbox, personal)
        return register.map_rows(source.id, checked, spec, self.territory, self.sandbox)

    def _account(
        self,
        source: FetchedSource,
        waiting: dict[str, Receipt],
        frame: pl.DataFrame,
        checked: contracts.Checked,
        mapped: Mapped,
        rules: list[contracts.ColumnRule],
    ) -> None:
        """Fill the receipts' counts and write what was refused, with row number, values and reasons."""
        rejected = frame.join(mapped.rejected, on=["__part", "__row"], how="inner", maintain_order="left")
        shape = ["__part", "__row", "column", "value", "reason"]
        whole = pl.lit(None, pl.String).alias("column")
        refused = pl.concat(
            [
                checked.bad_rows.select("__part", "__row", whole, pl.col("values").alias("value"), pl.col("reasons").alias("reason")),
                rejected.with_columns(contracts.masked_values(rejected, rules).alias("value")).select(
                    "__part", "__row", whole, "value", "reason"
                ),
                checked.bad_cells.select(shape),
                mapped.bad_cells.with_columns(pl.lit(None, pl.String).alias("value")).select(shape),
            ]
        ).sort("__part", "__row", "column", nulls_last=False)
        for part, receipt in waiting.items():
            mine = pl.col("__part") == part
            receipt.quarantined = checked.bad_rows.filter(mine).height + mapped.rejected.filter(mine).height
            repeats = checked.repeats.filter(mine).height
            unselected = mapped.unselected.filter(mine).height
            receipt.ignored |= {k: v for k, v in {"repeat": repeats, "where": unselected}.items() if v}
            receipt.accepted = checked.accepted.filter(mine).height - mapped.rejected.filter(mine).height - unselected
            cells = refused.filter(mine & pl.col("column").is_not_null())
            receipt.cells_quarantined = cells.height
            receipt.assert_nothing_lost()
            bad = refused.filter(mine)
            if bad.height:
                named = bad.rename({"__part": "part", "__row": "row_number"}).with_columns(
                    pl.lit(source.id).alias("source"), pl.lit(receipt.snapshot).alias("snapshot")
                )
                name = f"{source.id}/{slug(part)}/{receipt.snapshot[:12]}-{receipt.key[:12]}"
                receipt.files["quarantine"] = self.lake.write(
                    "quarantine",
                    name,
                    named.select(*lake_rooms.QUARANTINE).cast(lake_rooms.QUARANTINE),  # type: ignore[arg-type]
                )

    # ----------------------------------------------------------------------------------------------------------- conflicts

    def _conflicts(self, source: FetchedSource, report: SourceReport) -> None:
        """Find different observations of one cell within a source, over all its parts: all of them go to quarantine."""
        if not isinstance(source.map, ObservationsMap) or not report.parts:
            return
        plain = [m for m, spec in source.map.measures.items() if spec.aggregate is None]
        key = digest([[r.key for r in report.parts.values()], "conflicts"])
        known = self.lake.receipt(source.id, "conflicts", key)
        if known is None:
            known = self._find_conflicts(source, report, plain, key)
        report.conflict_rows, report.conflict_cells = known.quarantined, known.cells_quarantined
        report.conflicts = known.files.get("conflicts")
        report.quarantine = [known.files["quarantine"]] if "quarantine" in known.files else []

    def _find_conflicts(self, source: FetchedSource, report: SourceReport, plain: list[str], key: str) -> Receipt:
        receipt = Receipt(source.id, "conflicts", "", key, 0, 0, 0, {}, 0)
        cell = ["measure", "ref_area", "time_period", "sex", "age"]
        lake = self.lake.read_all(report.files("observations"), "observations").filter(pl.col("measure").is_not_null())
        rows = lake.filter(pl.col("measure").is_in(plain) & pl.col("ref_area").is_not_null() & (pl.col("obs_status") != "Q"))
        if rows.select(cell).is_duplicated().any():
            told = rows.group_by(cell).agg(pl.struct("obs_value", "obs_status").n_unique().alias("n"))
            cells = told.filter(pl.col("n") > 1).select(cell).sort(cell)
            hit = rows.join(cells, on=cell, how="semi")
            of_row = lake.filter(pl.col("obs_status") != "Q").group_by("part", "row_number").agg(pl.len().alias("all"))
            per_row = hit.group_by("part", "row_number").agg(pl.len().alias("hits")).join(of_row, on=["part", "row_number"])
            whole = per_row.filter(pl.col("hits") == pl.col("all"))
            single = hit.join(whole, on=["part", "row_number"], how="anti")
            receipt.quarantined, receipt.cells_quarantined = whole.height, single.height
            receipt.rows_read = whole.height  # the rows move from accepted to quarantined
            value = pl.struct("measure", "ref_area", "time_period", "sex", "age", "obs_value").struct.json_encode()
            reason = pl.lit("another row of the source gives this cell a different value")
            refused = hit.with_columns(value.alias("value"), reason.alias("reason")).join(
                whole.select("part", "row_number", pl.lit(True).alias("w")), on=["part", "row_number"], how="left"
            )
            refused = refused.with_columns(pl.when(pl.col("w").is_null()).then("measure").alias("column")).sort(
                "part", "row_number", "measure"
            )
            refused = refused.unique(["part", "row_number", "column"], maintain_order=True)
            table = cells.with_columns(pl.lit(source.id).alias("source")).select(*lake_rooms.CONFLICTS)
            receipt.files["conflicts"] = self.lake.write("conflicts", f"{source.id}/{key[:24]}", table)
            receipt.files["quarantine"] = self.lake.write(
                "quarantine",
                f"{source.id}/conflicts/{key[:24]}",
                refused.select(*lake_rooms.QUARANTINE).cast(lake_rooms.QUARANTINE),  # type: ignore[arg-type]
            )
        self.lake.keep(receipt)
        return receipt

    # ------------------------------------------------------------------------------------------------------------- counted

    def _counted(self, name: str, reports: dict[str, SourceReport]) -> SourceReport:
        counted = self.pack.counted[name]
        report = SourceReport(name, "counted")
        feeding = [r for r in reports.values() if r.kind == counted.from_]
        files = [f for r in feeding for f in r.files(counted.from_)]
        years = [int(s.fetched_at[:4]) for r in feeding for s in r.snapshots.values()]
        year = max(years, default=self.settings.now().year)
        universe = self._universe_of(counted.universe)
        key = digest([counted.model_dump(mode="json"), [f.sha256 for f in files], self.territory_digest, year, lake_rooms.code_version()])
        receipt = self.lake.receipt(name, "", key)
        if receipt is None:
            entries = self.lake.read_all(files, counted.from_)
            try:
                rows = counts.count(counted, entries, self.territory, universe, year, self.sandbox)
            except ExpressionError as error:
                report.errors[""] = str(error)
                report.down = True
                return report
            used = int(rows.filter(pl.col("measure") == next(iter(counted.measures)))["row_count"].sum() or 0)
            used = min(used, entries.height)
            receipt = Receipt(
                name, "", "", key, entries.height, used, 0, {"where": entries.height - used} if used < entries.height else {}, 0
            )
            receipt.files["observations"] = self.lake.write("observations", f"{name}/{key[:24]}", rows)
            self.lake.keep(receipt)
        report.parts[""] = receipt
        if any(r.stale_since for r in feeding):
            report.stale_since = min(r.stale_since for r in feeding if r.stale_since)
        return report

    def _universe_of(self, universe: str | None) -> pl.DataFrame | None:
        """Return the areas (ref_area) that a declared universe names; None where none is declared."""
        if universe is None:
            return None
        table = self.territory.areas
        if universe.strip() == "all":
            return table.select("ref_area")
        wide = self.territory.attributes.pivot("attribute", index="ref_area", values="value") if self.territory.attributes.height else None
        if wide is not None:
            table = table.join(wide.select("ref_area", *(c for c in wide.columns if c not in table.columns)), on="ref_area", how="left")
        used = expressions.parse(universe).columns
        absent = [pl.lit(None, pl.String).alias(c) for c in used if c.lower() not in {x.lower() for x in table.columns}]
        return self.sandbox.query(
            f"select {quote('ref_area')} from input where (\n{universe}\n) order by 1", input=table.with_columns(*absent)
        )

    # ------------------------------------------------------------------------------------------------------------ manifest

    def _manifest(self, reports: dict[str, SourceReport]) -> dict[str, Any]:
        """Describe this state of the lake: which files of which snapshots. Its digest does not depend on time."""
        lake = self.lake
        files: dict[str, list[File]] = {
            kind: [lake.empty(kind)] for kind in ("observations", "events", "register", "quarantine", "conflicts")
        }
        for report in reports.values():
            for kind in files:
                files[kind] += [f for f in report.files(kind) if f.rows]
            files["conflicts"] += [report.conflicts] if report.conflicts else []
            files["quarantine"] += report.quarantine
        resolved = digest([self.territory_digest, "resolved"])[:24]
        for kind, frame in (
            ("areas", self.territory.areas), ("area_parents", self.territory.parents), ("area_codes", self.territory.codes),
            ("area_attributes", self.territory.attributes),
        ):  # fmt: skip
            files[kind] = [lake.write(kind, resolved, frame)]
        everywhere = {**self.pack.sources, **self.pack.counted}
        universes = [
            found.with_columns(pl.lit(name).alias("source")).select("source", "ref_area")
            for name, source in everywhere.items()
            if source.enabled and (found := self._universe_of(source.universe)) is not None
        ]
        universe = pl.concat(universes) if universes else pl.DataFrame(schema=lake_rooms.UNIVERSE)
        files["universe"] = [lake.write("universe", digest([self.territory_digest, self.pack.digest])[:24], universe)]
        for kind, frame in {**declarations.compile_pack(self.pack), **_run_tables(self.pack, reports)}.items():
            files[kind] = [lake.write(f"declared/{kind}", digest([kind, frame.write_json()])[:24], frame)]
        content = {
            "pack": self.pack.id,
            "pack_digest": self.pack.digest,
            "code_version": lake_rooms.code_version(),
            "files": {kind: [asdict(f) for f in entries] for kind, entries in sorted(files.items())},
            "sources": {
                name: {
                    "kind": r.kind,
                    "parts": {
                        p: {
                            "snapshot": receipt.snapshot,
                            "key": receipt.key,
                            **({"url": r.snapshots[p].url, "fetched_at": r.snapshots[p].fetched_at} if p in r.snapshots else {}),
                        }
                        for p, receipt in r.parts.items()
                    },
                }
                for name, r in reports.items()
            },
        }
        created = self.settings.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"format": 1, "created_at": created, "digest": digest(content), **content}


def _run_tables(pack: Pack, reports: dict[str, SourceReport]) -> dict[str, pl.DataFrame]:
    """Return what the warehouse must know of this run: counts by source, snapshots, and which sources are down for which period."""
    counts, snapshots, down = [], [], []
    for name, report in sorted(reports.items()):
        counts.append({"source": name, **{k: v for k, v in report.counts().items() if k != "ignored"}, "stale_since": report.stale_since})
        for part, snapshot in sorted(report.snapshots.items()):
            if part not in report.parts:
                continue
            receipt = report.parts[part]
            snapshots.append(
                {
                    "source": name, "part": part, "url": snapshot.url, "sha256": snapshot.sha256, "bytes": snapshot.bytes,
                    "fetched_at": snapshot.fetched_at, "rows_read": receipt.rows_read, "rows_accepted": receipt.accepted,
                    "rows_quarantined": receipt.quarantined, "rows_ignored": sum(receipt.ignored.values()),
                }
            )  # fmt: skip
        source = pack.sources.get(name)
        if report.down and source is not None:
            for part_of in pack.parts(source):
                if part_of.name not in report.parts:
                    down.append({"source": name, "time_period": _period_of(source, part_of.variables)})
    s, i = pl.String, pl.Int64
    return {
        "source_counts": pl.DataFrame(
            counts,
            schema={
                "source": s, "rows_read": i, "rows_accepted": i, "rows_quarantined": i, "rows_ignored": i, "cells_quarantined": i,
                "stale_since": s,
            },
        ),
        "snapshots": pl.DataFrame(
            snapshots,
            schema={"source": s, "part": s, "url": s, "sha256": s, "bytes": i, "fetched_at": s, "rows_read": i, "rows_accepted": i,
                    "rows_quarantined": i, "rows_ignored": i},
        ),
        "down": pl.DataFrame(down, schema={"source": s, "time_period": s}),
    }  # fmt: skip


def _period_of(source: FetchedSource, variables: dict[str, str]) -> str | None:
    """Return the period of a part that could not be fetched, where its variables alone say it."""
    if not isinstance(source.map, ObservationsMap):
        return None
    used = {c.lower() for c in expressions.parse(source.map.period).columns}
    if not used <= {v.lower() for v in variables}:
        return None
    row = pl.DataFrame({"__n": [0], **{name: [value] for name, value in variables.items()}}, schema_overrides={"__n": pl.Int64})
    values, _ = Sandbox().evaluate(row, [("period", "varchar", source.map.period)])
    period: str | None = values.select(placing.periods(pl.col("period")))["period"][0]
    return period


def fetch_sources(
    pack: Pack,
    home: Home,
    settings: Settings,
    only: Collection[str] | None = None,
    part: tuple[str, Collection[str]] | None = None,
    done: Callable[[fetch.Answer], None] | None = None,
) -> list[fetch.Answer]:
    """Fetch every part of the enabled sources (or of `only`, or the parts whose variable has one of the values), and remember the outcome."""
    states = States(home.fetch_state)
    archive = Archive(home.archive)
    requests = []
    for source in pack.sources.values():
        if not source.enabled or (only is not None and source.id not in only):
            continue
        for item in pack.parts(source):
            if part is not None and part[0] in item.variables and item.variables[part[0]] not in part[1]:
                continue
            state = states.get(source.id, item.name)
            requests.append(fetch.Request(source, item, fetch.address(source, item), state.as_last()))
    answers = fetch.fetch_all(pack, requests, archive, settings, done)
    now = settings.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    for answer in answers:
        states.learn(answer, now)
    states.save()
    return answers


def quarantine_frame(home: Home, source: str | None = None) -> pl.DataFrame:
    """Return the rejected rows and cells of the lake's present state."""
    manifest = json.loads(home.manifest.read_text(encoding="utf-8")) if home.manifest.is_file() else {"files": {}}
    files = [File(**f) for f in manifest["files"].get("quarantine", [])]
    frame = Lake(home.lake).read_all(files, "quarantine")
    return frame.filter(pl.col("source") == source) if source else frame
