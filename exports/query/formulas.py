"""The figures of a formula: how a value follows from its numerator and denominator, and the same for several places together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from exports.query import cells, search, texts, values
from exports.query.answers import GroupAnswer
from exports.query.errors import QueryError
from exports.query.release import Area, Indicator, PublishedRelease, Row
from pipelines.core.sql import literal
from pipelines.core.vocabulary import TOTAL

_MULTIPLIER = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?) \* ")
PRECISION = 1e-9
"""How far a value may be from its own figures, which have 12 digits."""
DIGITS = 12


def multiplier(indicator: Indicator) -> float:
    """Return the number that the formula multiplies with."""
    match = _MULTIPLIER.match(str(indicator.row["formula"] or ""))
    return float(match[1]) if match else 1.0


def follows(indicator: Indicator, row: Row) -> bool:
    """Whether the value of a row is its numerator over its denominator, times the multiplier; or its numerator if it has no denominator."""
    value, numerator, denominator = row["obs_value"], row["numerator"], row["denominator"]
    if value is None or numerator is None or denominator == 0:
        return False
    computed = multiplier(indicator) * numerator / (1 if denominator is None else denominator)
    return math.isclose(value, computed, rel_tol=PRECISION, abs_tol=PRECISION * abs(multiplier(indicator)))


def computation(indicator: Indicator, row: Row, language: str) -> str | None:
    """Return the formula of a row with figures; None if the value does not follow from numerator and denominator alone."""
    if not follows(indicator, row):
        return None
    return with_figures(indicator, row["numerator"], row["denominator"], row["obs_value"], language)


def with_figures(indicator: Indicator, numerator: float, denominator: float | None, value: float, language: str) -> str | None:
    """Return `multiplier × numerator / denominator = value`; None for a plain count, which has nothing to compute."""

    def written(figure: float) -> str:
        return texts.number(figure, None, language)

    factor = multiplier(indicator)
    if factor == 1 and denominator is None:
        return None
    times = f"{written(factor)} × " if factor != 1 else ""
    over = f" / {written(denominator)}" if denominator is not None else ""
    return f"{times}{written(numerator)}{over} = {written(value)}"


def group(
    release: PublishedRelease, indicator: str, places: Sequence[str], *, period: str | None = None, sex: str = TOTAL, age: str = TOTAL,
    level: str | None = None, skip_missing: bool = False, language: str | None = None,
) -> GroupAnswer:  # fmt: skip
    """Return the value of several places together: the sum of their numerators over the sum of their denominators. Raises QueryError.

    If a place has no value there is none for the group, unless `skip_missing` leaves these places out.
    """
    language = release.language(language)
    subject = search.indicator(release, indicator, language)
    cells.check_breakdown(release, subject, sex, age, language)
    areas = values.several(release, places, level, language)
    for area in areas:
        cells.check_level(release, subject, area, language)
    _check_apart(release, areas, language)
    when = cells.period_of(subject, [area.level for area in areas], period, language)
    rows = cells.read(release, subject, [area.code for area in areas], sex, age)
    shown = [values.one(release, subject, area, (when, sex, age), rows, language) for area in areas]
    counted, left_out = [c for c in shown if c.value is not None], [c for c in shown if c.value is None]
    read = [rows[c.place.code, when or ""] for c in counted]
    _check_additive(release, subject, read, when or "", sex, age, language)
    notes = [note for area in areas for note in values.gone(area, language)]
    if left_out:
        name = "group_skipped" if skip_missing and counted else "group_missing"
        notes.append(texts.text(name, language, count=len(left_out), total=len(areas)))
    sums = _sums(read) if read and (skip_missing or not left_out) else None
    unit = subject.said("unit", language) or ""
    common = {
        "release": release.about, "language": language, "indicator": subject.facts(language), "period": when or "", "unit": unit,
        "attribution": release.attribution([values.sources_of(subject, row) for row in read] or [values.sources_of(subject, None)]),
        "left_out": left_out,
    }  # fmt: skip
    if sums is None or sums[1] == 0:
        zero = [texts.text("group_zero", language)] if sums is not None else []
        return GroupAnswer.model_validate({**common, "value": None, "text": None, "formula": None, "counted": [], "notes": notes + zero})
    numerator, denominator = sums
    value = float(f"{multiplier(subject) * numerator / (1 if denominator is None else denominator):.{DIGITS}g}")
    return GroupAnswer.model_validate({
        **common, "value": value, "text": texts.with_unit(texts.number(value, subject.decimals, language), unit),
        "formula": with_figures(subject, numerator, denominator, value, language), "numerator": numerator, "denominator": denominator,
        "counted": [c.place for c in counted], "notes": notes,
    })  # fmt: skip


def _sums(rows: Iterable[Row]) -> tuple[float, float | None]:
    """Return the sums of numerators and denominators, to 12 digits; None for rows without denominators."""
    kept = list(rows)
    numerator = float(f"{math.fsum(row['numerator'] for row in kept):.{DIGITS}g}")
    if kept[0]["denominator"] is None:
        return numerator, None
    return numerator, float(f"{math.fsum(row['denominator'] for row in kept):.{DIGITS}g}")


def _check_apart(release: PublishedRelease, areas: Sequence[Area], language: str) -> None:
    """Raise QueryError if two of the places have a place in common: its people would count twice."""
    owner: dict[str, Area] = {}
    for area in areas:
        for code in sorted({area.code, *release.inside(area.code)}):
            other = owner.setdefault(code, area)
            if other is area:
                continue
            inner = code if code in (area.code, other.code) else None
            if inner is not None:
                outer = other if inner == area.code else area
                small = release.areas[inner]
                parts = {"inner": f"{small.code} {small.name}", "outer": f"{outer.code} {outer.name}"}
                raise QueryError(texts.text("contained", language, **parts))
            common = f"{code} {release.areas[code].name}"
            raise QueryError(texts.text("overlap", language, first=other.name, second=area.name, example=common))


def _check_additive(
    release: PublishedRelease, indicator: Indicator, rows: Sequence[Row], period: str, sex: str, age: str, language: str
) -> None:
    """Raise QueryError unless the value of a group is the sum of the numerators over the sum of the denominators.

    Every row must follow from its own figures. A count must also be the sum of the counts below wherever the release has all of them.
    """
    divided = {row["denominator"] is not None for row in rows}
    sound = all(follows(indicator, row) for row in rows) and len(divided) <= 1
    if not sound or (divided == {False} and not _adds_up(release, indicator, period, sex, age)):
        formula = str(indicator.row["formula"] or "–")
        raise QueryError(texts.text("not_additive", language, title=indicator.title(language), formula=formula))


def _adds_up(release: PublishedRelease, indicator: Indicator, period: str, sex: str, age: str) -> bool:
    """Whether the release has places whose count is that of all places directly in them, and none whose count is not."""
    sql = f"""
        with counts as (
            select ref_area, level, numerator from indicator_values
            where indicator = {literal(indicator.id)} and time_period = {literal(period)} and sex = {literal(sex)} and age = {literal(age)}
                and obs_value is not null
        ),

        sums as (
            select p.parent, a.level, count(*) as expected, count(c.numerator) as available, sum(c.numerator) as total
            from area_parents as p
            inner join areas as a on a.ref_area = p.ref_area and a.valid_to is null
            left join counts as c on c.ref_area = p.ref_area
            where p.valid_to is null
            group by p.parent, a.level
        )

        select count(*) as places, count(*) filter (where abs(s.total - c.numerator) > {PRECISION} * greatest(abs(c.numerator), 1)) as wrong
        from sums as s
        inner join counts as c on c.ref_area = s.parent
        where s.available = s.expected
    """
    (row,) = release.rows(sql)
    return bool(row["places"] > 0 and row["wrong"] == 0)
