"""Questions about values: one value, a series, several places side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exports.query import cells, search, texts
from exports.query.answers import Break, Cell, CompareAnswer, ComparedPlace, SeriesAnswer, Trend, ValueAnswer
from exports.query.errors import QueryError
from exports.query.release import Area, Indicator, PublishedRelease, Row
from pipelines.core.sql import literal
from pipelines.core.vocabulary import TOTAL, first_day


def value(
    release: PublishedRelease, indicator: str, place: str, *, period: str | None = None, sex: str = TOTAL, age: str = TOTAL,
    level: str | None = None, language: str | None = None,
) -> ValueAnswer:  # fmt: skip
    """Return one value, or the reason why there is none. Raises QueryError."""
    language = release.language(language)
    subject, area = asked(release, indicator, place, level, sex, age, language)
    when = cells.period_of(subject, [area.level], period, language)
    rows = cells.read(release, subject, [area.code], sex, age)
    cell = one(release, subject, area, (when, sex, age), rows, language)
    compared, notes = cells.comparisons(release, subject, {area.code: cell}, language)
    used = rows.get((area.code, when or ""))
    return ValueAnswer(
        release=release.about, language=language, attribution=release.attribution([sources_of(subject, used)]),
        notes=[*gone(area, language), *notes], indicator=subject.facts(language), place=release.place(area.code), cell=cell,
        comparisons=compared.get(area.code, []),
    )  # fmt: skip


def series(
    release: PublishedRelease, indicator: str, place: str, *, first: str | None = None, last: str | None = None, sex: str = TOTAL,
    age: str = TOTAL, level: str | None = None, limit: int = 100, offset: int = 0, language: str | None = None,
) -> SeriesAnswer:  # fmt: skip
    """Return all cells of an indicator and a place from `first` to `last`, oldest first. Raises QueryError."""
    language = release.language(language)
    subject, area = asked(release, indicator, place, level, sex, age, language)
    for period in (first, last):
        if period is not None and first_day(period) is None:
            raise QueryError(texts.text("bad_period", language, period=texts.echo(period)))
    rows = cells.read(release, subject, [area.code], sex, age)
    kept = [row for (_, period), row in rows.items() if _between(period, first, last)]
    if rows and not kept:
        asked_for = f"{first or ''}-{last or ''}"
        listed = cells.listed([period for _, period in rows])
        raise QueryError(
            texts.text("no_period", language, title=subject.title(language), period=asked_for, level=area.level, periods=listed)
        )
    shown = kept[offset : offset + limit]
    broken = [row["time_period"] for row in shown if row["obs_status"] == "B"]
    notes = [texts.text("broken", language, periods=", ".join(broken))] if broken else []
    if not rows:
        notes.append(texts.text("no_row" if subject.published else "never_collected", language))
    return SeriesAnswer(
        release=release.about, language=language, attribution=release.attribution([row["sources"] for row in shown]),
        notes=[*gone(area, language), *notes], indicator=subject.facts(language), place=release.place(area.code),
        cells=[cells.cell(release, subject, area, (row["time_period"], sex, age), row, language) for row in shown], total=len(kept),
        next_offset=offset + limit if offset + limit < len(kept) else None, breaks=breaks(release, subject, language),
        trend=_trend(release, subject, area, sex, age),
    )  # fmt: skip


def compare(
    release: PublishedRelease, indicator: str, places: Sequence[str], *, period: str | None = None, sex: str = TOTAL, age: str = TOTAL,
    level: str | None = None, language: str | None = None,
) -> CompareAnswer:  # fmt: skip
    """Return the same indicator and period for several places. Raises QueryError."""
    language = release.language(language)
    subject = search.indicator(release, indicator, language)
    cells.check_breakdown(release, subject, sex, age, language)
    areas = several(release, places, level, language)
    for area in areas:
        cells.check_level(release, subject, area, language)
    when = cells.period_of(subject, [area.level for area in areas], period, language)
    rows = cells.read(release, subject, [area.code for area in areas], sex, age)
    shown = {area.code: one(release, subject, area, (when, sex, age), rows, language) for area in areas}
    compared, notes = cells.comparisons(release, subject, shown, language)
    used = [rows.get((area.code, when or "")) for area in areas]
    return CompareAnswer(
        release=release.about, language=language, attribution=release.attribution([sources_of(subject, row) for row in used]),
        notes=[*(note for area in areas for note in gone(area, language)), texts.text("not_each_other", language), *notes],
        indicator=subject.facts(language), period=when,
        places=[ComparedPlace(cell=cell, comparisons=compared.get(code, [])) for code, cell in shown.items()],
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ for questions


def asked(
    release: PublishedRelease, indicator: str, place: str, level: str | None, sex: str, age: str, language: str
) -> tuple[Indicator, Area]:
    """Return the indicator and the place of a question. Raises QueryError if there are none, or none for that level, sex and age group."""
    subject = search.indicator(release, indicator, language)
    area = search.place(release, place, level, language)
    cells.check_level(release, subject, area, language)
    cells.check_breakdown(release, subject, sex, age, language)
    return subject, area


def several(release: PublishedRelease, places: Sequence[str], level: str | None, language: str) -> list[Area]:
    """Return the places of a question, each once. Raises QueryError."""
    areas: dict[str, Area] = {}
    for place in places:
        area = search.place(release, place, level, language)
        if area.code in areas:
            raise QueryError(texts.text("twice", language, place=f"{area.code} {area.name}"))
        areas[area.code] = area
    return list(areas.values())


def one(
    release: PublishedRelease,
    indicator: Indicator,
    area: Area,
    key: tuple[str | None, str, str],
    rows: dict[tuple[str, str], Row],
    language: str,
) -> Cell:
    """Return the cell of a place from rows of all periods, which say where there are values if this one has none."""
    with_value = [period for (code, period), row in rows.items() if code == area.code and row["obs_value"] is not None]
    return cells.cell(release, indicator, area, key, rows.get((area.code, key[0] or "")), language, with_value)


def sources_of(indicator: Indicator, row: Row | None) -> str | None:
    """Return the sources of a cell, or of the indicator where there is no row; joined by semicolons."""
    sources = (row["sources"] if row else None) or indicator.row["sources"]
    return str(sources) if sources else None


def gone(area: Area, language: str) -> Iterable[str]:
    """Yield a note if the place no longer exists."""
    if area.valid_to is not None:
        yield texts.text("gone", language, place=f"{area.code} {area.name}", day=area.valid_to)


def breaks(release: PublishedRelease, indicator: Indicator, language: str) -> list[Break]:
    """Return the breaks in the series of an indicator."""
    if not release.has("breaks"):
        return []
    rows = release.rows(
        f"select * from breaks where list_contains(string_split(indicators, ';'), {literal(indicator.id)}) order by period, measure"
    )
    return [Break(period=r["period"], measure=r["measure"], note=r.get(f"note_{language}") or r.get("note_en") or "") for r in rows]


def _trend(release: PublishedRelease, indicator: Indicator, area: Area, sex: str, age: str) -> Trend | None:
    if not release.has("trends"):
        return None
    where = f"indicator = {literal(indicator.id)} and ref_area = {literal(area.code)} and sex = {literal(sex)} and age = {literal(age)}"
    for row in release.rows(f"select * from trends where {where}"):
        return Trend(
            first_period=row["first_period"], last_period=row["last_period"], trend=row["trend"], direction=row["direction"] or None
        )
    return None


def _between(period: str, first: str | None, last: str | None) -> bool:
    """Whether a period begins within the two others; a year as the last one has all its months in it."""
    start = first_day(period)
    if start is None:
        return False
    after = first is None or start >= (first_day(first) or start)
    return after and (last is None or start <= (first_day(last) or start) or period.startswith(last))
