"""The formulas of the site for groups of areas give the same intervals as those of the product. Needs Node and the packages of the site."""

from __future__ import annotations

import json

import pytest

from pipelines.statistics import intervals
from tests.support import site_scripts

COUNTS = [0, 0.4, 1, 2.5, 3, 7, 9, 9.99, 10, 11, 25, 130, 5_000, 1_234_567]
SIZES = [1, 9, 10, 37, 400, 98_765, 10_900_555]
SCRIPT = """
import {{ groupSums, intervalKind, intervalOf }} from {statistics};
const cases = JSON.parse(process.argv[2]);
const intervals = cases.map(([kind, x, n]) => intervalOf(kind, x, n, 100));
const cell = (x, n) => ({{ numerator: x, denominator: n, value: 100 * x / n, lower: 0, upper: 0 }});
const published = (kind, x, n) => {{
  const [lower, upper] = intervalOf(kind, x, n, 100).map((bound) => Number(bound.toFixed(1)));
  return {{ ...cell(x, n), lower, upper }};
}};
const rule = {{ kind: "ratio", multiplier: 100 }};
const members = [[35, 115], [41, 126], [44, 138], [63, 160]];
const kinds = ["proportion", "rate"].map((kind) => intervalKind(members.map(([x, n]) => published(kind, x, n)), rule, 1));
const foreign = intervalKind(members.map(([x, n]) => ({{ ...cell(x, n), lower: 1, upper: 2 }})), rule, 1);
const group = groupSums(members.map(([x, n]) => published("proportion", x, n)), rule, "proportion");
const incomplete = groupSums([cell(1, 2), {{ ...cell(1, 2), value: null }}], rule, "proportion");
const sum = groupSums([cell(1, null), cell(2, null)], {{ kind: "sum", multiplier: 1 }}, null);
const empty = groupSums([cell(0, 0)], rule, null);
console.log(JSON.stringify({{ intervals, kinds, foreign, group, incomplete, sum, empty }}));
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    bundle = site_scripts.bundled(tmp_path_factory.mktemp("statistics"), SCRIPT, statistics="core/statistics")
    intervals_and_groups: dict[str, object] = site_scripts.run(bundle, json.dumps(cases()))
    return intervals_and_groups


def cases() -> list[tuple[str, float, float]]:
    return [(kind, x, n) for kind in ("proportion", "rate") for x in COUNTS for n in SIZES]


def test_intervals_are_those_of_the_product(results: dict[str, object]) -> None:
    computed = results["intervals"]
    assert isinstance(computed, list)
    for (kind, x, n), interval in zip(cases(), computed, strict=True):
        (expected, _) = intervals.of_value(kind, x, n, 100)
        assert interval == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-9)), (kind, x, n)


def test_the_kind_follows_from_published_intervals(results: dict[str, object]) -> None:
    assert (results["kinds"], results["foreign"]) == (["proportion", "rate"], None)


def test_a_group_is_the_ratio_of_sums(results: dict[str, object]) -> None:
    (expected, _) = intervals.of_value("proportion", 183, 539, 100)
    assert expected is not None
    assert results["group"] == {
        "numerator": 183,
        "denominator": 539,
        "value": pytest.approx(100 * 183 / 539),
        "lower": pytest.approx(expected[0]),
        "upper": pytest.approx(expected[1]),
    }
    assert results["sum"] == {"numerator": 3, "denominator": None, "value": 3, "lower": None, "upper": None}


def test_a_group_with_a_gap_has_no_value(results: dict[str, object]) -> None:
    assert (results["incomplete"], results["empty"]) == (None, None)
