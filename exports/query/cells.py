"""Single cells of `indicator_values` as answers show them. The one place where a row becomes numbers, and where a missing one becomes none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exports.query import texts
from exports.query.answers import Cell, Comparison, Interval, Missing, Outcome, Sex
from exports.query.errors import QueryError
from exports.query.release import Area, Indicator, PublishedRelease, Row
from pipelines.core.sql import literal
from pipelines.core.vocabulary import STATUSES, TOTAL, first_day

SHOWN_PERIODS = 12
"""The most periods that an error or a missing cell lists."""
PEERS = "peers"
SIZE = "depends_on_size"


def read(
    release: PublishedRelease, indicator: Indicator, areas: Iterable[str], sex: str = TOTAL, age: str = TOTAL, period: str | None = None
) -> dict[tuple[str, str], Row]:
    """Return the rows of an indicator by area and period, in the order of time."""
    codes = ", ".join(literal(code) for code in dict.fromkeys(areas))
    only = f"and time_period = {literal(period)}" if period is not None else ""
    sql = f"""
        select * from indicator_values
        where indicator = {literal(indicator.id)} and ref_area in ({codes}) and sex = {literal(sex)} and age = {literal(age)} {only}
        order by time_period, ref_area
    """
    return {(row["ref_area"], row["time_period"]): row for row in release.rows(sql)} if codes else {}


def cell(
    release: PublishedRelease, indicator: Indicator, area: Area, key: tuple[str | None, str, str], row: Row | None, language: str,
    with_value: Sequence[str] = (),
) -> Cell:  # fmt: skip
    """Return one cell; `key` is period, sex and age, `row` its row if there is one, `with_value` periods in which the area has a value."""
    period, sex, age = key
    unit = indicator.said("unit", language) or ""
    status = row["obs_status"] if row else None if indicator.published else "O"
    value = row["obs_value"] if row else None
    if status is not None and not (status in STATUSES and STATUSES[status].has_value):
        value = None  # a status without a value has none, whatever stands in the row
    note = _note(release, row, language)
    common = {
        "indicator": indicator.id, "place": area.short, "period": period, "sex": _sex(sex), "age": age, "unit": unit, "status": status,
        "status_text": texts.status(status, language),
    }  # fmt: skip
    if row is None or value is None:
        missing = _missing(release, indicator, row, note, with_value, language)
        return Cell.model_validate({**common, "value": None, "text": None, "missing": missing})
    interval = None
    if row["lower_95"] is not None and row["upper_95"] is not None:
        interval = Interval(
            lower_95=row["lower_95"], upper_95=row["upper_95"], lower_998=row["lower_998"], upper_998=row["upper_998"]
        )  # fmt: skip
    shown = texts.with_unit(texts.number(value, indicator.decimals, language), unit)
    return Cell.model_validate({
        **common, "value": value, "text": shown, "numerator": row["numerator"], "denominator": row["denominator"],
        "coverage": row["coverage"], "interval": interval, "note": note,
    })  # fmt: skip


def _sex(sex: str) -> Sex:
    return "F" if sex == "F" else "M" if sex == "M" else "_T"


def _note(release: PublishedRelease, row: Row | None, language: str) -> str | None:
    note = release.status_notes.get(row["status_note"]) if row and row["status_note"] else None
    return None if note is None else note.get(f"text_{language}") or note.get("text_en") or note.get("text")


def _missing(
    release: PublishedRelease, indicator: Indicator, row: Row | None, note: str | None, with_value: Sequence[str], language: str
) -> Missing:
    sources = (row["sources"] if row else None) or indicator.row["sources"]
    publishers = "; ".join(dict.fromkeys(origin.publisher for origin in release.attribution([sources]) if origin.publisher))
    reason = texts.status(row["obs_status"] if row else None, language) if indicator.published else texts.text("never_collected", language)
    return Missing(
        reason=reason, note=note, needed=indicator.said("needed", language),
        supplier=indicator.said("supplier", language) or publishers or None, periods_with_value=list(with_value)[-SHOWN_PERIODS:],
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------- what can be asked


def period_of(indicator: Indicator, levels: Iterable[str], asked: str | None, language: str) -> str | None:
    """Return the period to answer for: the one that was asked for, or the newest with values at all `levels`; None without any data.

    Raises QueryError that lists the periods if the indicator does not have it, or is not published for a level.
    """
    levels = list(dict.fromkeys(levels))
    if asked is not None and first_day(asked) is None:
        raise QueryError(texts.text("bad_period", language, period=texts.echo(asked)))
    if not indicator.published:
        return asked
    published = _common(indicator.published, levels)
    if asked is not None and asked in published:
        return asked
    if not published:
        raise QueryError(texts.text("no_common_period", language, title=indicator.title(language), levels=", ".join(levels)))
    if asked is None:
        return max(_common(indicator.periods, levels) or published, key=lambda period: (first_day(period), period))
    periods = listed(sorted(_common(indicator.periods, levels) or published))
    raise QueryError(
        texts.text("no_period", language, title=indicator.title(language), period=asked, level=", ".join(levels), periods=periods)
    )


def _common(periods: Mapping[str, Sequence[str]], levels: Sequence[str]) -> set[str]:
    return set.intersection(*(set(periods.get(level, ())) for level in levels))


def check_level(release: PublishedRelease, indicator: Indicator, area: Area, language: str) -> None:
    """Raise QueryError if the indicator is not published for the level of the area; it names the places above for which it is."""
    if not indicator.published or area.level in indicator.published:
        return
    above = [f"{up.code} {up.name}" for up in release.above(area.code) if up.level in indicator.periods]
    raise QueryError(
        texts.text(
            "no_level", language, title=indicator.title(language), level=area.level, levels=", ".join(indicator.published),
            above=texts.text("ask_above", language, names=", ".join(above)) if above else "",
        )
    )  # fmt: skip


def check_breakdown(release: PublishedRelease, indicator: Indicator, sex: str, age: str, language: str) -> None:
    """Raise QueryError if the indicator has no values for the sex and age group; it lists those that it has."""
    if (sex, age) == (TOTAL, TOTAL) or not indicator.published:
        return
    rows = release.rows(f"select distinct sex, age from indicator_values where indicator = {literal(indicator.id)} order by sex, age")
    if not any((row["sex"], row["age"]) == (sex, age) for row in rows):
        breakdowns = "; ".join(f"sex {row['sex']}, age {row['age']}" for row in rows[:SHOWN_PERIODS])
        raise QueryError(
            texts.text("no_breakdown", language, title=indicator.title(language), sex=sex, age=texts.echo(age), breakdowns=breakdowns)
        )


def listed(periods: Sequence[str]) -> str:
    """Return periods as a list, the middle of a long one left out."""
    if len(periods) <= SHOWN_PERIODS:
        return ", ".join(periods)
    half = SHOWN_PERIODS // 2
    return f"{', '.join(periods[:half])} … {', '.join(periods[-half:])} ({len(periods)})"


# ------------------------------------------------------------------------------------------------------------ comparisons


def comparisons(
    release: PublishedRelease, indicator: Indicator, cells: Mapping[str, Cell], language: str
) -> tuple[dict[str, list[Comparison]], list[str]]:
    """Return by area what the release compares these cells with, and notes. Cells without a value are not compared at all."""
    with_value = {code: c for code, c in cells.items() if c.value is not None}
    if not with_value or not release.has("comparisons"):
        return {}, []
    first = next(iter(with_value.values()))
    sql = f"""
        select * from comparisons
        where indicator = {literal(indicator.id)} and ref_area in ({", ".join(map(literal, with_value))})
            and sex = {literal(first.sex)} and age = {literal(first.age)}
        order by ref_area, against
    """
    compared: dict[str, list[Comparison]] = {}
    rows = release.rows(sql)
    for row in rows:
        if row["time_period"] == with_value[row["ref_area"]].period:
            compared.setdefault(row["ref_area"], []).append(_comparison(release, indicator, row, language))
    notes = [texts.text("depends_on_size", language)] if indicator.depends_on_size else []
    others = sorted({row["time_period"] for row in rows})
    if others and not compared:
        notes.append(texts.text("compared_period", language, period=", ".join(others)))
    return compared, notes


def _comparison(release: PublishedRelease, indicator: Indicator, row: Row, language: str) -> Comparison:
    against = row["against"]
    name = texts.text(PEERS, language) if against == PEERS else release.areas[against].name if against in release.areas else against
    outcome, reason, significance = row["outcome"], row.get("reason"), row["significance"]
    if indicator.depends_on_size and against != PEERS:
        outcome, reason, significance = "not_compared", SIZE, None
    parts = {"against": name, "significance": texts.number(significance or 0, 1 if significance != 95 else 0, language)}
    if outcome == "not_compared":
        reason_text = f"reason_{reason}"
        said = texts.text(
            "not_compared", language, against=name, reason=texts.text(reason_text, language) if reason_text in texts.TEXTS else reason
        )
    else:
        said = texts.text("similar_to" if outcome == "similar" else outcome, language, **parts)
    kept: Outcome = outcome
    return Comparison(
        against=against, against_name=name, reference_value=row["reference_value"], outcome=kept, significance=significance, reason=reason,
        text=said,
    )  # fmt: skip
