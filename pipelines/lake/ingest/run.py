"""One run of the ingest: each source from its snapshots to the lake, then the manifest.

A snapshot that was processed before, under the same declaration and code, is not read again; its receipt is used instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipelines.core.clock import timestamp
from pipelines.extract.http.request import request_digest
from pipelines.extract.snapshots import Snapshot
from pipelines.extract.source_state import SourceState, SourceStates, parts_of
from pipelines.lake.ingest import conflicts, counted, guards, merging, reading, rows, shared_table, state
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.faults import reason_of
from pipelines.lake.ingest.report import AreaFault, SourceReport
from pipelines.lake.manifest import Manifest
from pipelines.lake.mapping import area_changes
from pipelines.lake.store import File, Receipt
from pipelines.packs import expressions
from pipelines.packs.schema import AreasMap, FetchedSource, ObservationsMap
from pipelines.packs.workspace import Workspace

MAX_OVERTAKEN = 5
"""How many snapshots of a part that were never processed are tried where the newest one fails."""
UNKNOWN_PARENTS, WITHOUT_PARENT, UNKNOWN_REFERENCES = "unknown_parents", "without_parent", "unknown_references"
"""The kinds of faults in the links between areas."""


@dataclass(frozen=True)
class _Part:
    """A part of a source: what is known of it, and the snapshot to process, if there is one."""

    state: SourceState
    snapshot: Snapshot | None


def _counts(receipt: Receipt) -> dict[str, Any]:
    """Return what the state of a part holds of its last good snapshot."""
    return {
        "shape": receipt.shape, "rows": guards.rows_without_ignored(receipt), "accepted_rows": receipt.accepted, "values": receipt.values or {},
        "entries": receipt.entries,
    }  # fmt: skip


def _because(error: str | None) -> str:
    return f": {error}" if error else ""


class Ingest:
    """One run from snapshots to the lake. Sources of areas and of area changes come first, because all others need the territory."""

    def __init__(self, workspace: Workspace, progress: rows.Progress | None = None) -> None:
        self.context = Context(workspace, scratch=workspace.archive)
        self.states = SourceStates(workspace.fetch_state)
        self.before = Manifest.load_if_whole(workspace.manifest) or Manifest()
        self.progress: rows.Progress = progress or (lambda _: None)
        self._levels_down: set[str] = set()
        self._changes: list[File] = []  # changes of areas of the sources that were processed

    @property
    def area_warnings(self) -> tuple[str, ...]:
        return self.context.territory.warnings

    @property
    def damaged(self) -> set[tuple[str, str]]:
        """The sources and parts whose bytes in the archive were damaged. They were set aside, and have to be fetched again."""
        return self.context.damaged

    @property
    def rebuilt_files(self) -> list[str]:
        """The files of the lake that were damaged, and were made again from the archive."""
        return sorted(self.context.lake.set_aside)

    def area_faults(self) -> list[AreaFault]:
        """Return what is wrong with areas that are named elsewhere, after `run`."""
        levels = {level.id: level.parents for level in self.context.pack.file.levels}
        territory = self.context.territory
        areas = set(territory.areas["ref_area"])
        references = [
            f"no source of areas gives {area}, the reference area of the index {index.id}"
            for index in self.context.pack.indices.values()
            for area in sorted(index.reference_areas() - areas)
        ]
        down = self._levels_down
        return [
            *(AreaFault(kind=UNKNOWN_PARENTS, text=text, is_explained=level in down) for level, text in territory.unknown_parents.items()),
            *(
                AreaFault(kind=WITHOUT_PARENT, text=text, is_explained=bool(down & {level, *levels[level]}))
                for level, text in territory.without_parent(levels).items()
            ),
            *(AreaFault(kind=UNKNOWN_REFERENCES, text=text, is_explained=bool(down)) for text in references),
        ]

    def _levels_of(self, source: FetchedSource) -> set[str]:
        """Return the levels of the areas that a source gives: all levels where its rows decide it."""
        assert isinstance(source.map, AreasMap)
        declared = [area.level for area in source.map.area]
        if any(expressions.parse(level).columns for level in declared):
            return {level.id for level in self.context.pack.file.levels}
        return {self.context.sandbox.query(f"select cast((\n{level}\n) as varchar) as level")["level"][0] for level in declared}

    def run(self, only: Collection[str] | None = None, done: Callable[[SourceReport], None] | None = None) -> dict[str, SourceReport]:
        """Process every enabled source from its present snapshots, and write the manifest.

        `only` names the sources whose new snapshots are processed; the others keep their last good ones. `done` is called after each source.
        """
        reports: dict[str, SourceReport] = {}
        pack = self.context.pack

        def add(report: SourceReport) -> None:
            reports[report.source] = report
            if done:
                done(report)

        def process(*kinds: str) -> None:
            sources = [source for source in pack.sources.values() if source.enabled and source.into in kinds]
            required_first = sorted(sources, key=lambda source: source.optional) if kinds == ("area_changes",) else sources
            for group in shared_table.groups(pack, pack.after_looked_up(required_first)):
                self.context.shared = shared_table.SharedTable([reading.needed_of(s) for s in group]) if len(group) > 1 else None
                for source in group:
                    report = self._process_source(source, use_newest=only is None or source.id in only)
                    self.context.parts_used[source.id] = report.parts
                    self._changes += report.files("area_changes")
                    add(report)
            self.context.shared = None
            reports.update({source.id: reports.pop(source.id) for source in sources})  # in the order of the pack

        process("areas")
        self._levels_down = {level for name, r in reports.items() if r.down for level in self._levels_of(pack.sources[name])}
        self.context.load_areas([f for r in reports.values() for f in r.files("area_rows")])
        process("area_changes")
        self.context.load_area_changes([f for r in reports.values() for f in r.files("area_changes")])
        process("observations", "events", "register", "boundaries")
        merges = merging.merge_events(self.context, reports)
        for name, counted_source in pack.counted.items():
            if counted_source.enabled:
                add(counted.count_source(self.context, name, reports, merges))
        self.states.save()
        state.build_manifest(self.context, reports, merges).make_current(self.context.workspace)
        return reports

    def _process_source(self, source: FetchedSource, use_newest: bool) -> SourceReport:
        report = SourceReport(source.id, source.into)
        parts = {}
        for declared in parts_of(self.context.pack, source, self.states):
            current = self.states.get(source.id, declared.name)
            if not source.fetch.brings_records and not current.answers(request_digest(source, declared)):
                # its snapshots answer another request; they stay remembered in case the declaration is taken back
                report.errors[declared.name] = f"the declared request has changed, and nothing has answered it yet{_because(current.error)}"
                report.down = True
                if use_newest:
                    self.states.put(source.id, declared.name, replace(current, tried=current.sha256))
                continue
            current = self._with_counts(source, declared.name, current)
            sha256 = current.sha256 if use_newest and current.sha256 else current.good
            snapshot = self.context.archive.find(source.id, declared.name, sha256) if sha256 else None
            if sha256 and snapshot is None:
                report.errors[declared.name] = f"the archive has no intact copy of its snapshot {sha256[:12]}…"
            parts[declared.name] = _Part(current, snapshot)
        snapshots = {name: part.snapshot for name, part in parts.items() if part.snapshot is not None}
        accepted = {name for name, snapshot in snapshots.items() if parts[name].state.is_accepted(snapshot.sha256)}
        self._process(source, report, snapshots, parts, rows.Shapes({name: part.state.shape for name, part in parts.items()}, accepted))
        overtaken = self._use_overtaken(source, report, parts) if use_newest else set()
        self._fall_back(source, report, parts, overtaken)
        for name, part in parts.items():
            self._update_state(report, name, part.state, use_newest, is_good=name in overtaken)
        return report

    def _with_counts(self, source: FetchedSource, part: str, current: SourceState) -> SourceState:
        """Return a state that knows what its last good snapshot held. After a repair, in a vintage or after an upgrade, its receipt says it."""
        if not current.good or current.rows is not None:
            return current
        snapshot = self.context.archive.find(source.id, part, current.good)
        keys = [self.context.receipt_key(source, snapshot)] if snapshot is not None else []
        if source.id in self.before.sources and part in self.before.sources[source.id].parts:
            keys.append(self.before.sources[source.id].parts[part].key)
        for key in keys:
            receipt = self.context.lake.load_receipt(source.id, part, key)
            if receipt is not None and receipt.snapshot == current.good:
                return replace(current, **_counts(receipt))
        return current

    def _use_overtaken(self, source: FetchedSource, report: SourceReport, parts: Mapping[str, _Part]) -> set[str]:
        """Where the newest snapshot of a part failed, use one that it has overtaken before any run saw it: two files were dropped at once.

        Return the parts where this is possible. The error of the newest snapshot stays in the report.
        """
        used: set[str] = set()
        waiting = {name: part.state.overtaken()[:MAX_OVERTAKEN] for name, part in parts.items() if name in report.errors}
        while waiting := {name: contents for name, contents in waiting.items() if contents and name not in used}:
            candidates = {name: self.context.archive.find(source.id, name, contents.pop(0)) for name, contents in waiting.items()}
            snapshots = {name: snapshot for name, snapshot in candidates.items() if snapshot is not None}
            errors = {name: report.errors.pop(name) for name in snapshots if name in report.errors}
            shapes = {name: part.state.shape for name, part in parts.items()}
            self._process(source, report, snapshots, parts, rows.Shapes(shapes, set()))
            used |= {
                n for n, s in snapshots.items() if n in report.parts and report.parts[n].snapshot == s.sha256 and n not in report.errors
            }
            report.errors |= errors
        return used

    def _process(
        self,
        source: FetchedSource,
        report: SourceReport,
        snapshots: Mapping[str, Snapshot],
        parts: Mapping[str, _Part],
        shapes: rows.Shapes,
    ) -> None:
        """Process `snapshots` and add those that may be used to the report. An error of the source as a whole refuses all its snapshots."""
        states = {name: part.state for name, part in parts.items()}
        try:
            rows.process_snapshots(self.context, source, report, snapshots, shapes, self.progress)
            rows.check_corrections(source, report)
            counted.number_entries(self.context, source, report)
            guards.refuse_losses(source, report, states, self.context.pack.measures_read)
            guards.refuse_empty(source, report, states)
            conflicts.resolve_conflicts(self.context, source, report)
            compared = set(report.parts)
            guards.refuse_quarantined(source, report, states, self.context.lake, self.context.pack.measures_read)
            if set(report.parts) != compared:
                conflicts.resolve_conflicts(self.context, source, report)  # without the parts that were refused
            if self._changes and (files := report.files("area_changes")):
                area_changes.assert_few(self.context.lake.read_all([*self._changes, *files], "area_changes"))
            if isinstance(source.map, ObservationsMap):
                for condition in (source.universe, *(note.areas for note in source.notes)):
                    counted.areas_of(self.context, condition)
        except BaseException as error:
            reason = reason_of(error, source.id)
            for name in {*snapshots, *report.parts}:
                report.refuse(name, reason)
            conflicts.clear(report)

    def _fall_back(self, source: FetchedSource, report: SourceReport, parts: Mapping[str, _Part], overtaken: Collection[str]) -> None:
        """Process the last good snapshot of each part whose newest one failed, unless an overtaken one is used. The error stays in the report."""
        fallbacks = {}
        for name, part in parts.items():
            if name in report.errors and part.state.good and name not in overtaken:
                last_good = self.context.archive.find(source.id, name, part.state.good)
                if last_good:
                    fallbacks[name] = last_good
        # a part whose newest snapshot is its last good one may have failed only because of other parts
        newest = {name: part.snapshot.sha256 for name, part in parts.items() if part.snapshot is not None}
        failed = {name: report.errors[name] for name in parts if name in report.errors and name not in overtaken}
        errors = {name: text for name, text in failed.items() if newest.get(name) != parts[name].state.good}
        if fallbacks and errors:
            self._process(source, report, fallbacks, parts, rows.Shapes({}, set(fallbacks)))
            report.errors |= errors

    def _update_state(self, report: SourceReport, part: str, current: SourceState, use_newest: bool, *, is_good: bool) -> None:
        """Store what this run found out about a part: whether it is good, stale (since when and why) or down.

        `is_good`: the processed snapshot is a good one, although the newest one failed.
        """
        refusal = report.errors.get(part)
        if part in report.parts and (is_good or not refusal):
            receipt = report.parts[part]
            current = replace(current, good=receipt.snapshot, **_counts(receipt))
            if current.accepted is not None and current.is_accepted(receipt.snapshot):
                report.accepted_by_operator[part] = current.accepted.reason
        if use_newest:
            is_used = part in report.parts and report.parts[part].snapshot == current.sha256
            is_refused = part in report.refused and not is_used
            current = replace(current, tried=current.sha256, refused=current.sha256 if is_refused else "", refusal=refusal)
        if error := "; ".join(dict.fromkeys([*current.faults, *([refusal] if refusal else [])])):
            since = current.stale_since or timestamp(self.context.settings.now())
            current = replace(current, stale_since=since)
            report.errors[part] = error
            if part in report.parts:
                report.stale_since = min(filter(None, (report.stale_since, since)))
            else:
                report.down = True
                report.down_since = min(filter(None, (report.down_since, since)))
        elif part in report.parts:
            current = replace(current, stale_since=None)
        else:
            report.down = True
            is_dropped = self.context.pack.sources[report.source].fetch.inbox
            report.errors[part] = f"no file was dropped into inbox/{report.source}/ yet" if is_dropped else "never fetched"
        self.states.put(report.source, part, current)
