"""The blocks of `indicators/ID.yml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipelines.core.yaml import Text
from pipelines.packs.schema.base import Block, Identifier, Period, Texts

MAX_TERMS = 1_000
"""Terms of a sum."""


class Term(Block):
    """One term of a formula."""

    measure: Identifier = Field(
        description="A measure, or the built-in `areas` (1; before a change of areas, the number of former areas) or `area_km2`."
    )
    times: Identifier | None = Field(None, description="Measure by which it is multiplied, cell by cell, before any roll-up.")
    factor: float = Field(1.0, description="Constant factor.")
    sex: Literal["M", "F", "_U", "_T"] | None = Field(None, description="Sex of the term; default: that of the row.")
    age: Text | None = Field(None, description="Age group of the term; default: that of the row.")
    lag: int = Field(0, ge=0, le=100, description="Number of calendar years back.")
    at: Identifier | None = Field(
        None,
        description="Level at which `measure` is taken: the area at that level which the row's area lies in, such as the state for a national "
        "price index. `times` is always taken in the row's own area. Without `times`, parents have no roll-up.",
    )


class Window(Block):
    """A moving window of calendar years that ends with the period of the row."""

    years: int = Field(ge=1, le=100, description="Length in years.")
    agg: Literal["sum", "mean", "count_nonzero"] = Field("sum", description="How the years become one number.")
    min: int | None = Field(None, ge=1, le=100, description="Number of years that must have a value; default: all.")


class Change(Block):
    """Change of the value over calendar years."""

    years: int = Field(1, ge=1, le=100, description="Number of years between the two values.")
    kind: Literal["percent", "difference", "log_ratio"] = Field("percent", description="How the change is expressed.")


class ShareOfAreas(Block):
    """The share of the areas below a parent, in per cent, whose value lies below or above a threshold; 100 or 0 for a single area."""

    below: float | None = Field(None, description="The value of an area must be less than this.")
    above: float | None = Field(None, description="The value of an area must be greater than this.")
    of: Literal["areas", "weight"] = Field(
        "areas", description="areas: each counts once; weight: by `weight` of the indicator or the pack, such as inhabitants."
    )

    @model_validator(mode="after")
    def has_one_threshold(self) -> ShareOfAreas:
        if (self.below is None) == (self.above is None):
            raise ValueError("give either below or above")
        return self


class Formula(Block):
    """A sum of terms, or the ratio of two sums of terms."""

    numerator: list[Term] = Field(min_length=1, max_length=MAX_TERMS, description="Terms that add up.")
    denominator: list[Term] = Field(
        default_factory=list, max_length=MAX_TERMS, description="Terms that add up; without them the numerator is the value."
    )
    multiplier: float = Field(1.0, description="Factor by which the ratio is multiplied.")
    window: Window | None = Field(None, description="Moving window over both numerator and denominator.")
    missing: Literal["zero"] | None = Field(
        None,
        description="zero: in the universe of its source, a numerator term without any row is 0, and so is a denominator term that counts or sums "
        "rows. A share of nobody is then not defined (Z), and not missing.",
    )
    change: Change | None = Field(None, description="Change of the value.")
    share_of_areas: ShareOfAreas | None = Field(
        None, description="Share of areas whose value lies below or above a threshold, in place of the value itself."
    )
    difference_to: Identifier | None = Field(
        None,
        description="Level: the value less that of the area at this level in which the row's area lies. It must be the last of `levels`.",
    )


class Interval(Block):
    """The interval of a value, which says how far chance alone could have moved it. A single word stands for its `kind`."""

    kind: Literal["proportion", "rate", "mean"] = Field(
        description="proportion: the numerator is a part of the denominator (Wilson); rate: events per exposure (Byar, exact below 10); mean: "
        "Student's t."
    )
    n: Identifier | None = Field(None, description="mean: measure with the number of values.")
    sd: Identifier | None = Field(None, description="mean: measure with their standard deviation.")

    @model_validator(mode="after")
    def mean_has_a_sample(self) -> Interval:
        is_mean = self.kind == "mean"
        if (self.n is not None) != is_mean or (self.sd is not None) != is_mean:
            raise ValueError("a mean needs n and sd, and no other kind has them")
        return self


class Needed(Block):
    """The data that an indicator without data needs. Texts alone stand for `what`."""

    what: Texts = Field(description="The data that would be needed.")
    supplier: Texts | None = Field(
        None, description="Who could supply them: the municipality, the statistical office, a ministry, an association."
    )


def _what_or_block(value: Any) -> Any:
    return value if isinstance(value, dict) and "what" in value else {"what": value}


def _kind_or_block(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


class Indicator(Block):
    """`indicators/ID.yml`: one indicator, or a list of them."""

    id: Identifier = Field(description="Identifier.")
    title: Texts = Field(description="Title.")
    description: Texts | None = Field(None, description="What the indicator shows, and what it does not.")
    objective: Text = Field(pattern=r"^ZPO[0-9]+-[0-9]+$", description="Objective of the SMART Concept, for example ZPO2-1.")
    measure: int | None = Field(None, ge=0, le=10_000, description="Number of the measure under the objective.")
    field: Literal["social", "economic", "environmental"] | None = Field(None, description="Field of sustainability.")
    unit: Texts = Field(description="Unit of the value.")
    decimals: int | None = Field(None, ge=0, le=12, description="Decimals for display; published numbers are not rounded.")
    direction: Literal["higher_better", "lower_better", "target", "none"] = Field(description="Which way is better.")
    target_value: float | None = Field(None, description="The target, for direction `target`.")
    formula: Formula | None = Field(None, description="How the indicator is computed.")
    by: list[Literal["sex", "age"]] = Field(default_factory=list, description="Breakdowns in which it is published.")
    levels: list[Identifier] = Field(default_factory=list, description="Levels at which it is published.")
    rollup: Literal["computed", "reported"] = Field(
        "computed", description="reported: values of parent areas come from the source, where it has them."
    )
    weight: Identifier | None = Field(
        None,
        description="What areas weigh in coverage and, without a denominator, in weighted statistics: a measure, `area_km2` or `areas`; default: "
        "that of the pack.",
    )
    interval: Annotated[Interval | None, BeforeValidator(_kind_or_block)] = Field(
        None, description="Interval of the values: `proportion`, `rate`, or a block for a mean; default: none."
    )
    confidential_below: int | None = Field(
        None,
        ge=2,
        le=1_000_000,
        description="Counts from 1 to one less are confidential: a cell whose numerator or denominator is such a count is published with status "
        "C and without numbers, and so are further cells from which it could be derived.",
    )
    convergence: list[Annotated[list[Period], Field(min_length=2, max_length=2)]] | None = Field(
        None, description="Pairs of first and last period; default: the first and the last period in which a level has values."
    )
    dispersion: bool | None = Field(
        None,
        description="Whether its dispersion between areas is published; default: true, except for counts, which add up and have no "
        "denominator: how much they differ says little more than how much the areas differ in size.",
    )
    sdg: Text | None = Field(None, description="Target of the Sustainable Development Goals.")
    display: Literal["headline", "more"] = Field("more", description="headline: shown first to readers; more: shown on request.")
    depends_on_size: bool = Field(
        False, description="The size of an area explains most of the value, so only areas of a similar size compare."
    )
    needed: Annotated[Needed | None, BeforeValidator(_what_or_block)] = Field(
        None, description="The data that would be needed, if there are none yet: texts, or a block with `what` and `supplier`."
    )
    references: list[Text] = Field(default_factory=list, description="Sources of the definition.")

    @model_validator(mode="after")
    def complete(self) -> Indicator:
        if self.formula is None and self.needed is None:
            raise ValueError("give a formula with levels, or needed")
        if self.formula is not None and not self.levels:
            raise ValueError("a formula needs levels")
        if self.formula is not None and self.formula.difference_to not in (None, self.levels[-1]):
            raise ValueError(f"formula.difference_to: {self.formula.difference_to} must be the last of levels")
        if self.direction == "target" and self.target_value is None:
            raise ValueError("direction target needs target_value")
        return self

    @model_validator(mode="after")
    def confidential_counts_need_a_formula(self) -> Indicator:
        if self.confidential_below is not None and self.formula is None:
            raise ValueError("confidential_below: needs a formula")
        return self

    @model_validator(mode="after")
    def interval_suits_the_formula(self) -> Indicator:
        interval, formula = self.interval, self.formula
        if interval is None:
            return self
        if formula is None or formula.change is not None or formula.multiplier <= 0:
            raise ValueError("interval: needs a formula with a positive multiplier and without change")
        if formula.share_of_areas is not None or formula.difference_to is not None:
            raise ValueError("interval: a share of areas and a difference have none")
        if formula.window is not None and formula.window.agg != "sum":
            raise ValueError(f"interval: a window with {formula.window.agg} has none")
        if interval.kind == "mean":
            if formula.denominator or formula.window or len(formula.numerator) > 1 or formula.numerator[0].times:
                raise ValueError("interval: a mean is the value of one measure in one period")
        elif not formula.denominator:
            raise ValueError(f"interval: a {interval.kind} needs a denominator")
        return self
