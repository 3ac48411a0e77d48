"""Intervals: published reference numbers, and what holds for every interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chi2
from scipy.stats import t as student_t

from pipelines.statistics import intervals
from pipelines.statistics.intervals import CONFIDENCES, Confidence, byar, exact_poisson, mean, of_value, proportion, rate, student
from tests.support.command import SHARED

REFERENCE = SHARED / "standards" / "small_numbers"
BY_NAME = {"95%": CONFIDENCES[0], "99.8%": CONFIDENCES[1]}
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"{REFERENCE} does not exist")
counts = st.floats(0, 1e7)
sizes = st.floats(1e-3, 1e7)
confidences = st.sampled_from(CONFIDENCES)


def reference_rows(file: str, sheet: str) -> list[dict[str, Any]]:
    """Return the rows of a reference table that have a result."""
    rows = openpyxl.load_workbook(REFERENCE / file, read_only=True, data_only=True)[sheet].iter_rows(values_only=True)
    names = [str(name) for name in next(rows)]
    return [row for values in rows if (row := dict(zip(names, values, strict=True)))["method"] is not None]


def limits_of(method: str, x: float, n: float | None, confidence: Confidence) -> tuple[float, float]:
    """Return the limits of a count or a proportion by the method that a row names."""
    if method == "Wilson":
        assert n is not None
        interval = proportion(x, n, confidence)
        assert interval is not None
        return interval
    if method == "Exact":
        ((lower, upper),) = exact_poisson(np.array([float(x)]), confidence).tolist()
        return lower, upper
    assert method == "Byars"
    return byar(x, confidence)


@needs_reference
class TestReferenceNumbers:
    def test_of_counts_and_proportions(self) -> None:
        rows = reference_rows("testdata_Byars_Wilson.xlsx", "testdata_B_W")
        compared = 0
        for row in rows:
            if row["x"] is None or row["lowercl"] is None:
                continue
            limits = limits_of(row["method"], row["x"], row["n"], BY_NAME[row["confidence"]])
            assert limits == pytest.approx((row["lowercl"], row["uppercl"]), rel=1e-9, abs=1e-9), row
            compared += 1
        assert compared == 12

    @pytest.mark.parametrize(("file", "kind"), [("testdata_Proportion.xlsx", "Prop"), ("testdata_Rate.xlsx", "Rate")])
    def test_of_values_of_areas(self, file: str, kind: str) -> None:
        compared = 0
        for row in reference_rows(file, f"testdata_{kind}"):
            for name, columns in (("95%", ("lower95_0cl", "upper95_0cl")), ("99.8%", ("lower99_8cl", "upper99_8cl"))):
                if row["Numerator"] is not None and row[columns[0]] is not None:
                    x, n = row["Numerator"], row["Denominator"]
                    lower, upper = limits_of(row["method"], x, n, BY_NAME[name])
                    factor = row["multiplier"] / (1 if kind == "Prop" else n)
                    assert (lower * factor, upper * factor) == pytest.approx((row[columns[0]], row[columns[1]]), rel=1e-9, abs=1e-9), row
                    compared += 1
        assert compared > 10


def test_exact_limits_are_quantiles_of_chi_square() -> None:
    x = np.array([0, 0.4, 1, 2.5, 9, 9.99])
    for confidence in CONFIDENCES:
        lower = np.where(x > 0, chi2.ppf(confidence.outside / 2, 2 * np.where(x > 0, x, 1)) / 2, 0)
        upper = chi2.ppf(1 - confidence.outside / 2, 2 * x + 2) / 2
        assert exact_poisson(x, confidence) == pytest.approx(np.stack([lower, upper], axis=1), rel=1e-12)


def test_quantiles_of_means_are_those_of_student() -> None:
    n = np.array([2.0, 3.0, 30.0, 1e6])
    for confidence in CONFIDENCES:
        assert student(n, confidence) == pytest.approx(student_t.ppf(1 - confidence.outside / 2, n - 1), rel=1e-12)


class TestProportion:
    @given(share=st.floats(0, 1), n=sizes, confidence=confidences)
    def test_contains_the_value_and_lies_between_0_and_1(self, share: float, n: float, confidence: Confidence) -> None:
        interval = proportion(share * n, n, confidence)
        assert interval is not None
        lower, upper = interval
        assert -1e-12 <= lower <= share + 1e-9
        assert share - 1e-9 <= upper <= 1 + 1e-12

    @given(share=st.floats(0, 1), n=sizes, factor=st.floats(1.1, 100), confidence=confidences)
    def test_narrows_with_the_number_of_cases(self, share: float, n: float, factor: float, confidence: Confidence) -> None:
        few, many = proportion(share * n, n, confidence), proportion(share * n * factor, n * factor, confidence)
        assert few is not None
        assert many is not None
        assert many[1] - many[0] < few[1] - few[0]

    @given(share=st.floats(0, 1), n=sizes, confidence=confidences)
    def test_of_the_rest_is_its_complement(self, share: float, n: float, confidence: Confidence) -> None:
        part, rest = proportion(share * n, n, confidence), proportion(n - share * n, n, confidence)
        assert part is not None
        assert rest is not None
        assert rest == pytest.approx((1 - part[1], 1 - part[0]), abs=1e-9)

    @pytest.mark.parametrize("n", [1, 7, 1e6])
    def test_of_none_and_of_all_has_one_bound_at_the_end(self, n: float) -> None:
        for confidence in CONFIDENCES:
            none, everything = proportion(0, n, confidence), proportion(n, n, confidence)
            assert none is not None
            assert everything is not None
            assert none[0] == pytest.approx(0, abs=1e-12)
            assert none[1] == pytest.approx(confidence.z**2 / (n + confidence.z**2))
            assert everything[1] == pytest.approx(1)

    @pytest.mark.parametrize(("x", "n"), [(-1, 5), (6, 5), (0, 0), (1, -1), (float("nan"), 1)])
    def test_of_no_part_has_none(self, x: float, n: float) -> None:
        assert proportion(x, n, CONFIDENCES[0]) is None


class TestRate:
    @given(x=counts, e=sizes, confidence=confidences)
    def test_contains_the_value(self, x: float, e: float, confidence: Confidence) -> None:
        interval = rate(x, e, confidence)
        assert interval is not None
        assert 0 <= interval[0] <= x / e * (1 + 1e-9)
        assert interval[1] >= x / e

    @given(x=st.floats(0.01, 1e6), e=sizes, factor=st.floats(1.5, 100), confidence=confidences)
    def test_narrows_with_the_exposure(self, x: float, e: float, factor: float, confidence: Confidence) -> None:
        assume(not x < intervals.BYAR_FROM <= x * factor)
        few, many = rate(x, e, confidence), rate(x * factor, e * factor, confidence)
        assert few is not None
        assert many is not None
        assert many[1] - many[0] < few[1] - few[0]

    @pytest.mark.parametrize(("x", "e"), [(-1, 5), (1, 0), (1, -2), (float("nan"), 1)])
    def test_without_exposure_has_none(self, x: float, e: float) -> None:
        assert rate(x, e, CONFIDENCES[0]) is None


class TestMean:
    @given(value=st.floats(-1e6, 1e6), sd=st.floats(0, 1e6), n=st.integers(2, 10**6), confidence=confidences)
    def test_lies_around_the_value(self, value: float, sd: float, n: int, confidence: Confidence) -> None:
        interval = mean(value, sd, n, confidence)
        assert interval is not None
        assert interval[0] <= value <= interval[1]

    @pytest.mark.parametrize(("sd", "n"), [(1, 1), (1, 0), (-1, 5)])
    def test_of_one_value_has_none(self, sd: float, n: float) -> None:
        assert mean(3, sd, n, CONFIDENCES[0]) is None


def test_a_value_has_the_interval_of_its_kind_in_its_unit() -> None:
    narrow, wide = of_value("proportion", 5, 100, 100)
    assert narrow == pytest.approx((2.154367915436798, 11.175046923191911))
    assert wide is not None
    assert narrow is not None
    assert wide[0] < narrow[0]
    assert of_value("rate", None, 100, 1) == (None, None)
    assert of_value("mean", 10, None, 2, (4, 0)) == ((20, 20), (20, 20))
    assert of_value("mean", 10, None, 2) == (None, None)
