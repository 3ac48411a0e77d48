"""Where a value comes from, and what a release contains: only what its tables say."""

from __future__ import annotations

import shlex

from exports.query import cells, formulas, texts, values
from exports.query.answers import (
    ExplainAnswer,
    IndexFacts,
    LevelFacts,
    MeasureFacts,
    ReleaseAnswer,
    SourceFile,
    SourceUsed,
)
from exports.query.release import PublishedRelease
from pipelines.core.sql import literal
from pipelines.core.vocabulary import TOTAL

SHOWN_FILES = 20


def explain(
    release: PublishedRelease, indicator: str, place: str, *, period: str | None = None, sex: str = TOTAL, age: str = TOTAL,
    level: str | None = None, language: str | None = None,
) -> ExplainAnswer:  # fmt: skip
    """Return the formula of a value with its figures, its sources with their files, and the command that traces it. Raises QueryError."""
    language = release.language(language)
    subject, area = values.asked(release, indicator, place, level, sex, age, language)
    when = cells.period_of(subject, [area.level], period, language)
    rows = cells.read(release, subject, [area.code], sex, age)
    row = rows.get((area.code, when or ""))
    cell = values.one(release, subject, area, (when, sex, age), rows, language)
    used = [origin.source for origin in release.attribution([values.sources_of(subject, row)])]
    words = ["zpo2", "explain", subject.id, area.code, when or "-"]
    words += ["--sex", sex] if sex != TOTAL else []
    words += ["--age", age] if age != TOTAL else []
    broken = [b for b in values.breaks(release, subject, language) if when is not None and b.period <= when]
    return ExplainAnswer(
        release=release.about, language=language, attribution=[release.origins[source] for source in used],
        notes=[*values.gone(area, language)], indicator=subject.facts(language), place=release.place(area.code), cell=cell,
        formula=str(subject.row["formula"] or "–"),
        computation=formulas.computation(subject, row, language) if row is not None and cell.value is not None else None,
        sources=[_source(release, source, when) for source in used], breaks=broken, command=shlex.join(words),
    )  # fmt: skip


def _source(release: PublishedRelease, source: str, period: str | None) -> SourceUsed:
    """Return a source with its files; those whose part names the period come first."""
    files = release.rows(f"select * from snapshots where source = {literal(source)} order by part") if release.has("snapshots") else []
    year = period[:4] if period else ""
    files = sorted(files, key=lambda row: (not year or year not in row["part"], row["part"]))
    [stale] = release.rows(f"select any_value(stale_since) as since from sources where source = {literal(source)}")
    return SourceUsed(
        origin=release.origins[source], total_files=len(files), stale_since=stale["since"],
        files=[
            SourceFile(part=row["part"], address=row["url"] or "", sha256=row["sha256"], fetched_at=row["fetched_at"] or "")
            for row in files[:SHOWN_FILES]
        ],
    )  # fmt: skip


def about(release: PublishedRelease, language: str | None = None) -> ReleaseAnswer:
    """Return what the release contains. Raises QueryError."""
    language = release.language(language)
    periods = [period for i in release.indicators.values() for own in i.periods.values() for period in own]
    measures = release.rows("select * from objective_measures order by objective, measure") if release.has("objective_measures") else []
    indices = release.rows("select * from indices order by index") if release.has("indices") else []
    return ReleaseAnswer(
        release=release.about, language=language, attribution=list(release.origins.values()), languages=release.languages,
        levels=[LevelFacts(level=level, places=count) for level, count in release.levels.items()], indicators=len(release.indicators),
        indicators_with_data=sum(bool(i.periods) for i in release.indicators.values()),
        first_period=min(periods, default=None), last_period=max(periods, default=None),
        measures=[
            MeasureFacts(
                objective=row["objective"], measure=row["measure"] or "", title=row.get(f"title_{language}") or row.get("title_en") or "",
                indicators=row["indicators"], indicators_with_data=row["indicators_with_data"],
                needed=row.get(f"needed_{language}") or row.get("needed_en"),
            )
            for row in measures
        ],
        indices=[
            IndexFacts(
                index=row["index"], title=row.get(f"title_{language}") or row.get("title_en") or row["index"], level=row["level"],
                rankable=row["rankable"] == "true", note=row.get(f"note_{language}") or row.get("note_en") or "",
            )
            for row in indices
        ],
        statuses=texts.statuses(language),
    )  # fmt: skip
