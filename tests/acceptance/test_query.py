"""Questions to the release of packs/demo: groups add up to the release's own regions, and no empty cell ever gives a number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exports.query import cells, explain, formulas, ranking, values
from exports.query.answers import Cell
from exports.query.errors import QueryError
from exports.query.release import PublishedRelease

pytestmark = pytest.mark.acceptance
SAMPLE = 120
NOT_OF_GROUPS = {"population_change_5y", "turnout_parliament_change", "unemployed_share_to_state"}
"""Indicators whose value is a change or a difference, not a numerator over a denominator."""


@pytest.fixture(scope="module")
def release(demo_release: Path) -> Iterator[PublishedRelease]:
    with PublishedRelease(demo_release) as opened:
        yield opened


def values_in(demo_release: Path, where: str) -> list[tuple[Any, ...]]:
    """Return indicator, ref_area, time_period, sex, age and obs_value from the CSV files of a release."""
    files = demo_release / "csv" / "indicator_values" / "*.csv"
    columns = "indicator, ref_area, time_period, sex, age, obs_value::double"
    return duckdb.execute(f"from read_csv('{files}', all_varchar = true) select {columns} where {where} order by all").fetchall()


def test_districts_together_are_their_region(release: PublishedRelease, demo_release: Path) -> None:
    """Every value of a region in its newest period is what its districts give together, wherever all of them have values."""
    newest = "(indicator, time_period) in (from newest)"
    source = f"read_csv('{demo_release}/csv/indicator_values/*.csv', all_varchar = true)"
    sql = f"""
        with newest as (select indicator, max(time_period) from {source} where level = 'okres' and obs_value is not null group by all)
        select indicator, ref_area, time_period, obs_value::double from {source}
        where {newest} and level = 'nuts3' and sex = '_T' and age = '_T' and obs_value is not null order by all
    """
    compared, refused = 0, set()
    for indicator, region, period, expected in duckdb.execute(sql).fetchall():
        try:
            answer = formulas.group(release, indicator, sorted(release.children[region]), period=period)
        except QueryError:
            refused.add(indicator)
            continue
        if not answer.left_out:
            assert answer.value == pytest.approx(expected, rel=1e-9, abs=1e-9), (indicator, region)
            compared += 1
    assert compared > 700
    assert refused == NOT_OF_GROUPS


def without_numbers(cell: Cell) -> bool:
    """Whether nothing in the cell is a number."""
    numbers = (cell.value, cell.text, cell.numerator, cell.denominator, cell.coverage, cell.interval)
    return all(number is None for number in numbers) and cell.missing is not None


def test_an_empty_cell_never_gives_a_number(release: PublishedRelease, demo_release: Path) -> None:
    """Of each indicator, level and reason one cell, and some at random."""
    empty = "obs_value is null"
    kinds = f"{empty} qualify row_number() over (partition by indicator, level, obs_status order by ref_area, time_period, sex, age) = 1"
    sample = sorted({*random.Random(1).sample(values_in(demo_release, empty), SAMPLE), *values_in(demo_release, kinds)})
    assert len({row[0] for row in sample}) > 10
    for indicator, area, period, sex, age, _ in sample:
        asked = {"period": period, "sex": sex, "age": age}
        answer = values.value(release, indicator, area, **asked)
        assert without_numbers(answer.cell), (indicator, area, asked)
        assert answer.cell.status in ("M", "L", "O")
        assert answer.comparisons == []
        explained = explain.explain(release, indicator, area, **asked)
        assert without_numbers(explained.cell)
        assert explained.computation is None
        group = None
        try:
            group = formulas.group(release, indicator, [area], **asked)
        except QueryError:
            assert indicator in NOT_OF_GROUPS
        assert group is None or (group.value, group.text, group.formula, group.numerator, group.denominator) == (None,) * 5
        [cell] = [c for c in values.series(release, indicator, area, sex=sex, age=age).cells if c.period == period]
        assert without_numbers(cell)
        if release.areas[area].parents:
            ranked = ranking.rank(release, indicator, level=release.areas[area].level, limit=100, **asked)
            assert area not in [r.cell.place.code for r in ranked.ranked]
            assert all(without_numbers(c) for c in ranked.unranked)


def test_every_value_is_the_one_in_the_csv(release: PublishedRelease, demo_release: Path) -> None:
    shown = values_in(demo_release, "obs_value is not null")
    for indicator, area, period, sex, age, expected in random.Random(2).sample(shown, SAMPLE):
        cell = values.value(release, indicator, area, period=period, sex=sex, age=age).cell
        assert (cell.value, cell.period, cell.missing) == (expected, period, None)


def test_what_depends_on_size_is_never_better_or_worse_than_the_state(release: PublishedRelease) -> None:
    sized = [i for i in release.indicators.values() if i.depends_on_size]
    assert len(sized) >= 5
    against_state = 0
    for indicator in sized:
        for level in indicator.periods:
            areas = [area.code for area in release.areas.values() if area.level == level]
            for compared in values.compare(release, indicator.id, areas).places:
                for comparison in compared.comparisons:
                    if comparison.against != cells.PEERS:
                        against_state += 1
                        assert (comparison.outcome, comparison.reason, comparison.significance) == ("not_compared", "depends_on_size", None)
    assert against_state > 150


def test_comparisons_are_those_of_the_table(release: PublishedRelease, demo_release: Path) -> None:
    sql = f"""
        from read_csv('{demo_release}/csv/comparisons/*.csv', all_varchar = true)
        select indicator, ref_area, time_period, against, outcome, significance::double where sex = '_T' and outcome <> 'not_compared' order by all
    """
    rows = duckdb.execute(sql).fetchall()
    for indicator, area, period, against, outcome, significance in random.Random(3).sample(rows, SAMPLE):
        if release.indicators[indicator].depends_on_size and against != "peers":
            continue
        shown = values.value(release, indicator, area, period=period).comparisons
        [comparison] = [c for c in shown if c.against == against]
        assert (comparison.outcome, comparison.significance) == (outcome, significance)


def test_an_index_without_sound_ranks_shows_only_fifths(release: PublishedRelease) -> None:
    shown = ranking.index(release, "community", limit=100)
    assert not shown.rankable
    assert len(shown.places) == 77
    assert {(p.rank, p.rank_low, p.rank_high, p.score) for p in shown.places} == {(None,) * 4}
    assert {p.fifth for p in shown.places} == {1, 2, 3, 4, 5, None}
    ranked = ranking.index(release, "sustainability", limit=100)
    assert [p.rank for p in ranked.places] == sorted(p.rank or 10**9 for p in ranked.places)
