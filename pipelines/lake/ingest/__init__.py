"""From fetched snapshots to one state of the lake: read, check, map, account for every row, write the manifest. No Dagster, no dbt.

A snapshot that was processed before, under the same declaration and code, is not read again: its receipt stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from pipelines.core.clock import timestamp
from pipelines.extract.snapshots import Snapshot
from pipelines.extract.source_state import SourceState, SourceStates, parts_of
from pipelines.lake.ingest import conflicts, counted, merging, rows, state
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.store import write_manifest
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace

__all__ = ["Ingest", "SourceReport"]

Progress = Callable[[str], None]


class Ingest:
    """One run's way from snapshots to the lake. Sources of areas and of their changes come first: all others need the territory."""

    def __init__(self, workspace: Workspace, progress: Progress | None = None) -> None:
        self.context = Context(workspace)
        self.states = SourceStates(workspace.fetch_state)
        self.progress: Progress = progress or (lambda _: None)

    @property
    def area_warnings(self) -> tuple[str, ...]:
        return self.context.territory.warnings

    def run(self, only: Collection[str] | None = None, done: Callable[[SourceReport], None] | None = None) -> dict[str, SourceReport]:
        """Process every enabled source from its present snapshots, and write the manifest.

        `only` names the sources whose new snapshots are taken up; the others stay at their last good ones.
        """
        reports: dict[str, SourceReport] = {}
        enabled = {name: s for name, s in self.context.pack.sources.items() if s.enabled}

        def take_up(kinds: Collection[str]) -> None:
            for name, source in enabled.items():
                if source.into in kinds:
                    reports[name] = self._source(source, only is None or name in only)
                    if done:
                        done(reports[name])

        take_up(["areas"])
        self.context.resolve([f for r in reports.values() for f in r.files("area_rows")])
        take_up(["area_changes"])
        self.context.change_areas([f for r in reports.values() for f in r.files("area_changes")])
        take_up(["observations", "events", "register"])
        merges = merging.merge(self.context, reports)
        for name in self.context.pack.counted:
            if self.context.pack.counted[name].enabled:
                reports[name] = counted.count_source(self.context, name, reports, merges)
                if done:
                    done(reports[name])
        self.states.save()
        write_manifest(self.context.workspace.manifests, state.manifest(self.context, reports, merges))
        return reports

    def _source(self, source: FetchedSource, fresh: bool) -> SourceReport:
        report = SourceReport(source.id, source.into)
        chosen: dict[str, tuple[SourceState, Snapshot | None]] = {}
        for declared in parts_of(self.context.pack, source, self.states):
            known = self.states.get(source.id, declared.name)
            sha = known.sha256 if fresh and known.sha256 else known.good
            chosen[declared.name] = (known, self.context.archive.find(source.id, declared.name, sha) if sha else None)
        shapes = {part: known.shape for part, (known, _) in chosen.items()}
        rows.process(self.context, source, report, {p: s for p, (_, s) in chosen.items() if s is not None}, shapes, self.progress)
        rows.check_corrections(source, report)
        fallbacks = {}
        for part, (known, snapshot) in chosen.items():
            if part in report.errors and known.good and (snapshot is None or known.good != snapshot.sha256):
                last = self.context.archive.find(source.id, part, known.good)
                if last:
                    fallbacks[part] = last
        if fallbacks:
            reasons = {p: report.errors[p] for p in fallbacks}
            rows.process(self.context, source, report, fallbacks, {}, self.progress)
            report.errors |= reasons
        for part, (known, _) in chosen.items():
            self._settle(report, part, known, fresh)
        conflicts.settle(self.context, source, report)
        return report

    def _settle(self, report: SourceReport, part: str, known: SourceState, fresh: bool) -> None:
        """Write down what this run learned of one part: good, stale since when and why, or down."""
        error = report.errors.get(part) or known.error
        if part in report.parts and not report.errors.get(part):
            known = replace(known, good=report.parts[part].snapshot, shape=report.parts[part].shape)
        if error:
            since = known.stale_since or timestamp(self.context.settings.now())
            known = replace(known, stale_since=since, error=error if fresh else known.error)
            report.errors[part] = error
            if part in report.parts:
                report.stale_since = min(filter(None, (report.stale_since, since)))
            else:
                report.down = True
                report.down_since = min(filter(None, (report.down_since, since)))
        elif part in report.parts:
            known = replace(known, stale_since=None)
        else:
            report.down = True
            is_dropped = self.context.pack.sources[report.source].fetch.inbox
            report.errors[part] = f"no file was dropped into inbox/{report.source}/ yet" if is_dropped else "never fetched"
        self.states.put(report.source, part, known)
