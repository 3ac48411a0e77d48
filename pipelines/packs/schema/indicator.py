"""The blocks of `indicators/ID.yml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.core.yaml import Text
from pipelines.packs.schema.base import Block, Identifier, Period, Texts


class Term(Block):
    """One term of a formula."""

    measure: Identifier = Field(description="A measure, or the built-in `areas` (1) or `area_km2`.")
    times: Identifier | None = Field(None, description="Measure it is multiplied with, cell by cell, before any roll-up.")
    factor: float = Field(1.0, description="Constant factor.")
    sex: Literal["M", "F", "_U", "_T"] | None = Field(None, description="Fixed sex; else the row's.")
    age: Text | None = Field(None, description="Fixed age group; else the row's.")
    lag: int = Field(0, ge=0, description="Calendar years back.")


class Window(Block):
    """A moving window of calendar years that ends at the row's period."""

    years: int = Field(ge=1, description="Length in years.")
    agg: Literal["sum", "mean", "count_nonzero"] = Field("sum", description="What is made of the years.")
    min: int | None = Field(None, ge=1, description="Years that must be there; default all.")


class Change(Block):
    """Change of the value over calendar years."""

    years: int = Field(1, ge=1, description="Distance in years.")
    kind: Literal["percent", "difference", "log_ratio"] = Field("percent", description="How the change is expressed.")


class Formula(Block):
    """A sum of terms, over a sum of terms."""

    numerator: list[Term] = Field(min_length=1, description="Terms that add up.")
    denominator: list[Term] = Field(default_factory=list, description="Left out: the numerator itself is the value.")
    multiplier: float = Field(1.0, description="Factor of the ratio.")
    window: Window | None = Field(None, description="Moving window over numerator and denominator alike.")
    missing: Literal["zero"] | None = Field(None, description="zero: a numerator term without any row is 0 inside the source's universe.")
    change: Change | None = Field(None, description="Change of the value.")


class Indicator(Block):
    """`indicators/ID.yml`: one indicator, or a list of them."""

    id: Identifier = Field(description="Identifier.")
    title: Texts = Field(description="Title.")
    description: Texts | None = Field(None, description="What it says, and what it does not.")
    objective: Text = Field(pattern=r"^ZPO[0-9]+-[0-9]+$", description="Objective of the SMART Concept, for example ZPO2-1.")
    measure: int | None = Field(None, description="The objective's measure.")
    field: Literal["social", "economic", "environmental"] | None = Field(None, description="Field of sustainability.")
    unit: Text = Field(description="Unit of the value.")
    decimals: int | None = Field(None, ge=0, le=12, description="Decimals for display; published numbers are not rounded.")
    direction: Literal["higher_better", "lower_better", "target", "none"] = Field(description="Which way is better.")
    target_value: float | None = Field(None, description="The target, for direction `target`.")
    formula: Formula | None = Field(None, description="How it is computed.")
    by: list[Literal["sex", "age"]] = Field(default_factory=list, description="Splits it is published in.")
    levels: list[Identifier] = Field(default_factory=list, description="Levels it is published at.")
    rollup: Literal["computed", "reported"] = Field("computed", description="reported: parents come from the source where it has them.")
    convergence: list[Annotated[list[Period], Field(min_length=2, max_length=2)]] | None = Field(
        None, description="Pairs of first and last period; default: the first and the last one in which a level has values."
    )
    sdg: Text | None = Field(None, description="Target of the Sustainable Development Goals.")
    needed: Texts | None = Field(None, description="What data it would take, if there is none.")
    references: list[Text] = Field(default_factory=list, description="Where the definition comes from.")

    @model_validator(mode="after")
    def complete(self) -> Indicator:
        if self.formula is None and self.needed is None:
            raise ValueError("give a formula with levels, or needed")
        if self.formula is not None and not self.levels:
            raise ValueError("a formula needs levels")
        if self.direction == "target" and self.target_value is None:
            raise ValueError("direction target needs target_value")
        return self
