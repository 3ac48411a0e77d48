"""The names of the measures of a formula in the files for programs."""

from __future__ import annotations

from exports.api.describe import Texts, indicator

NAMES = {"candidates": {"en": "candidates", "cs": "kandidáti"}, "seats": {"en": "seats"}, "mayors": {"en": "mayors"}}


def test_inputs_are_the_measures_of_the_formula() -> None:
    row = {"formula": "100 * candidates [sex F] / candidates [sex _T]; missing is zero"}
    about = indicator("women", Texts({"women": row}, {}, {}, ["en", "cs"], NAMES), None)
    assert about["inputs"] == {"candidates": {"en": "candidates", "cs": "kandidáti"}}


def test_a_measure_without_a_name_is_left_out() -> None:
    about = indicator("x", Texts({"x": {"formula": "candidates_65 / seats"}}, {}, {}, ["en"], NAMES), None)
    assert about["inputs"] == {"seats": {"en": "seats"}}
