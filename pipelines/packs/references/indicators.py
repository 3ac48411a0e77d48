"""References in `indicators/*.yml`: levels, languages, periods of convergence, and the measures of formulas."""

from __future__ import annotations

from pipelines.core.vocabulary import AREA_KM2, AREAS, first_day
from pipelines.packs.references.names import Names
from pipelines.packs.schema import Formula, Indicator


def check(names: Names, indicator: Indicator) -> None:
    """Report the faults of an indicator."""
    block = f"indicators:{indicator.id}"
    for i, level in enumerate(indicator.levels):
        names.check_level(block, ("levels", i), level)
    for language in indicator.title:
        if language and language not in names.pack.file.languages:
            names.report(block, ("title", language), f"{language}: not one of the pack's languages")
    names.check_texts(block, ("description",), indicator.description)
    for i, (first, last) in enumerate(indicator.convergence or []):
        first_start, last_start = first_day(first), first_day(last)
        if first_start and last_start and first_start >= last_start:
            names.report(block, ("convergence", i), "the first period must come before the last")
    if indicator.formula is not None:
        _check_formula(names, block, indicator.formula)
        share, weight = indicator.formula.share_of_areas, indicator.weight or names.pack.file.weight
        if share is not None and share.of == "weight" and weight in (None, AREAS):
            names.report(block, ("formula", "share_of_areas", "of"), "weight: neither the indicator nor pack.yml names a measure as weight")
    names.check_measure(block, ("weight",), indicator.weight, built_in=True)
    if indicator.interval is not None and indicator.formula is not None:
        names.check_measure(block, ("interval", "n"), indicator.interval.n)
        names.check_measure(block, ("interval", "sd"), indicator.interval.sd)
        for term in indicator.formula.numerator:
            if term.measure in names.weighted_measures:
                names.report(block, ("interval",), f"{term.measure}: a measure with weighted_by has no interval")


def _check_formula(names: Names, block: str, formula: Formula) -> None:
    if formula.difference_to is not None:
        names.check_level(block, ("formula", "difference_to"), formula.difference_to)
    window = formula.window
    if window and (window.min or 0) > window.years:
        names.report(block, ("formula", "window", "min"), f"{window.min}: more than the {window.years} years of the window")
    for side, terms in (("numerator", formula.numerator), ("denominator", formula.denominator)):
        for i, term in enumerate(terms):
            names.check_measure(block, ("formula", side, i, "measure"), term.measure, built_in=True)
            names.check_measure(block, ("formula", side, i, "times"), term.times, built_in=True)
            if term.at is not None:
                names.check_level(block, ("formula", side, i, "at"), term.at)
            if term.at is not None and term.measure in (AREAS, AREA_KM2):
                names.report(block, ("formula", side, i, "at"), f"{term.measure}: a built-in measure belongs to the row's own area")
            is_single = len(formula.numerator) == 1 and not formula.denominator and not term.times and not term.at
            if term.measure in names.weighted_measures and not is_single:
                message = f"{term.measure}: a measure with weighted_by is allowed only as a formula's single term"
                names.report(block, ("formula", side, i, "measure"), message)
