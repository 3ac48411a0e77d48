"""The blocks of `indices/ID.yml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipelines.core.yaml import Text
from pipelines.packs.schema.base import Block, Identifier, Texts


class Treat(Block):
    """Treatment of outliers before normalising."""

    max_points: int = Field(5, ge=0, le=10_000, description="Largest number of points to winsorise.")
    skewness: float = Field(2.0, description="Largest absolute skewness that needs no treatment.")
    kurtosis: float = Field(3.5, description="Largest excess kurtosis that needs no treatment.")


class Impute(Block):
    """Imputation of missing values."""

    method: Literal["mean", "median", "group_mean", "group_median", "component_group_mean"] = Field(
        description="The number that fills a gap."
    )
    by: Text | None = Field(None, description="Attribute of areas that forms the groups.")


class Normalise(Block):
    """How an indicator becomes a score."""

    method: Literal["minmax", "zscore", "rank", "borda", "percentile", "distance_to_target", "distance_to_reference", "fraction_of_max"] = (
        Field("minmax", description="Method.")
    )
    scale: list[float] | None = Field(
        None, min_length=2, max_length=2, description="Range (minmax), or mean and standard deviation (zscore)."
    )
    clip: bool = Field(False, description="Limit scores to the scale.")
    target: float | None = Field(None, description="Target of distance_to_target.")
    reference: Text | None = Field(None, description="Area of distance_to_reference.")


Aggregation = Literal["arithmetic", "geometric", "harmonic"]
Require = Literal["all"] | list[Identifier]
Step = Literal["impute", "treat"]
STEPS: list[Step] = ["impute", "treat"]


class Component(Block):
    """A node of an index: an indicator, or a group of components."""

    indicator: Identifier | None = Field(None, description="The indicator of a leaf.")
    id: Identifier | None = Field(None, description="Identifier of a group.")
    weight: float = Field(1.0, ge=0, description="Weight relative to the other components of the node.")
    bounds: list[float] | None = Field(
        None, min_length=2, max_length=2, description="[worst, best]: the values with the lowest and the highest score."
    )
    direction: Literal["higher_better", "lower_better", "target"] | None = Field(
        None, description="Overrides the direction of the indicator."
    )
    normalise: Normalise | None = Field(None, description="Overrides the normalisation of the index.")
    aggregate: Aggregation | None = Field(None, description="How a group is aggregated.")
    require: Require | None = Field(None, description="Components without which a group has no score: `all`, or a list.")
    components: list[Component] = Field(default_factory=list, description="Components of a group.")

    @model_validator(mode="after")
    def leaf_or_group(self) -> Component:
        if self.indicator is not None:
            if self.components or self.id is not None or self.aggregate is not None or self.require is not None:
                raise ValueError("a component is an indicator, or a group with id and components, not both")
        elif self.id is None or not self.components:
            raise ValueError("give an indicator, or id and components")
        return self


class Uncertainty(Block):
    """How the robustness of ranks is estimated."""

    replicates: int = Field(500, ge=1, le=100_000, description="Number of Monte Carlo replicates.")
    seed: int = Field(1, ge=0, le=2**63 - 1, description="Seed of the random numbers.")
    vary: list[Literal["weights", "normalisation", "leave_one_out"]] = Field(
        default_factory=list, description="Choices that vary between replicates."
    )


class Index(Block):
    """`indices/ID.yml`: a composite index."""

    id: Identifier = Field(description="Identifier.")
    title: Texts = Field(description="Title.")
    note: Texts | None = Field(None, description="What readers must know of the index, after the note on its ranks.")
    objective: Text = Field(pattern=r"^ZPO[0-9]+-[0-9]+$", description="Objective; it decides in which table the index is published.")
    level: Identifier = Field(description="Level whose areas are scored.")
    period: Literal["latest", "each"] = Field("latest", description="latest: the last period of each indicator; each: every period.")
    max_age: int | None = Field(None, ge=0, le=100, description="With latest: by how many years a value may be older than the newest one.")
    carry: int = Field(0, ge=0, le=100, description="With each: for how many years a missing value is replaced by the last one.")
    treat: Treat | None = Field(None, description="Treatment of outliers.")
    impute: Impute | None = Field(None, description="Imputation.")
    steps: list[Step] = Field(default_factory=STEPS.copy, description="Order of imputation and treatment, where both are declared.")
    normalise: Normalise = Field(default_factory=lambda: Normalise(scale=[0.0, 100.0]), description="Normalisation.")
    pooled: bool = Field(False, description="Whether bounds are those of all periods together.")
    aggregate: Aggregation = Field("arithmetic", description="Aggregation of components.")
    min_available: float | None = Field(
        None, ge=0, le=1, description="Share of a node's components that must have a value; default: that of the pack."
    )
    require: Require | None = Field(None, description="Components without which an area has no score: `all`, or a list of ids; status M.")
    rank_partial: bool = Field(False, description="Whether scores that lack an indicator have a rank.")
    components: list[Component] = Field(min_length=1, description="The tree of components.")
    uncertainty: Uncertainty | None = Field(None, description="Estimation of the robustness of ranks.")

    @model_validator(mode="after")
    def each_step_once(self) -> Index:
        if sorted(self.steps) != STEPS:
            raise ValueError("steps: name impute and treat, each once")
        return self

    def reference_areas(self) -> set[str]:
        """Return the areas to which scores are related, in the index and in its components."""
        components = list(self.components)
        for component in components:  # the list grows by the components of groups
            components += component.components
        normalisations = [self.normalise, *(c.normalise for c in components if c.normalise)]
        return {n.reference for n in normalisations if n.method == "distance_to_reference" and n.reference is not None}
