"""The `map` block of a source: how a row becomes an area, an observation, an event, an entry of a register, or a change of areas."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipelines.core.yaml import Expression, Text
from pipelines.packs.schema.base import Block, Identifier, one_or_more


class AreaMap(Block):
    """How a row becomes an area."""

    ref_area: Expression = Field(description="Identifier of the area.")
    level: Expression = Field(description="Its level.")
    name: Expression | None = Field(None, description="Its name.")
    country: Expression | None = Field(None, description="Its country, ISO 3166-1 alpha-2; default: the pack's.")
    codes: dict[Text, Expression] = Field(default_factory=dict, description="Codes by scheme.")
    parents: dict[Identifier, Expression] = Field(default_factory=dict, description="Direct parents by level.")
    valid_from: Expression | None = Field(
        None, description="First day of validity. Several dated rows of one area are several times, in between it does not exist."
    )
    valid_to: Expression | None = Field(None, description="First day after the validity.")
    lat: Expression | None = Field(None, description="Latitude, degrees.")
    lon: Expression | None = Field(None, description="Longitude, degrees.")
    area_km2: Expression | None = Field(None, description="Area in square kilometres.")
    attributes: dict[Text, Expression] = Field(default_factory=dict, description="Further attributes.")


class AreasMap(Block):
    """`map` of `into: areas`."""

    area: Annotated[list[AreaMap], BeforeValidator(one_or_more)] = Field(description="The area of a row, or a list of areas.")
    where: Expression | None = Field(None, description="Rows that are areas.")


class AreaReference(Block):
    """How a row refers to its area: by `ref_area`, or by `scheme` and `code`."""

    ref_area: Expression | None = Field(None, description="Identifier of the area.")
    scheme: Text | None = Field(None, description="Scheme of the code.")
    code: Expression | None = Field(None, description="Code in that scheme.")

    @model_validator(mode="after")
    def by_area_or_by_code(self) -> AreaReference:
        by_code = self.scheme is not None and self.code is not None
        if (self.ref_area is not None) == by_code or (self.scheme is None) != (self.code is None):
            raise ValueError("give either ref_area, or scheme and code")
        return self


def _as_measure(value: Any) -> Any:
    return value if isinstance(value, dict) else {"value": value}


class Periods(Block):
    """The finer periods in which a measure is reported: the months of a year become one value of the year."""

    from_: Literal["month", "quarter"] = Field(alias="from", description="Kind of the periods of the rows.")
    to: Literal["quarter", "year"] = Field(description="Kind of the periods of the measure.")
    need: int | None = Field(
        None, ge=1, le=12, description="Number of finer periods that must have rows, such as 12; with fewer, the value is L. Default: all."
    )

    @property
    def parts(self) -> int:
        """The number of finer periods in a period."""
        return {("month", "quarter"): 3, ("month", "year"): 12, ("quarter", "year"): 4}[self.from_, self.to]

    @model_validator(mode="after")
    def to_a_longer_period(self) -> Periods:
        if self.from_ == self.to:
            raise ValueError("periods: give a longer period as `to`")
        if (self.need or 0) > self.parts:
            raise ValueError(f"periods: need {self.need} is more than the {self.parts} {self.from_}s of a {self.to}")
        return self


class MeasureMap(Block):
    """How a row becomes a value of one measure."""

    value: Expression = Field(description="The value.")
    where: Expression | None = Field(None, description="Rows that have a value.")
    aggregate: Literal["sum", "mean", "min", "max"] | None = Field(
        None,
        description="How several rows of one cell become one value. A total is never added to its parts. With `periods`, mean is the mean of the "
        "periods, and the rows of one period are summed first.",
    )
    periods: Periods | None = Field(
        None,
        description="Periods of the rows, if they are finer than those of the measure: `{from: month, to: year, need: 12}`. Needs `aggregate`.",
    )
    additive: bool = Field(True, description="false: values are never summed over sex or territory.")
    divisible: bool = Field(
        True,
        description="false: where an area was divided, its value is not divided by inhabitants, such as land. The area that kept the identifier "
        "keeps the whole value (E), and the others have none (O).",
    )
    weighted_by: Identifier | None = Field(
        None, description="Measure that weights the mean of a parent area. Where it is 0, the mean is not defined."
    )
    scale: dict[Text, float] | None = Field(None, description="The number for each category.")
    status: Expression | None = Field(
        None,
        description="Status of this measure, such as `case when flag = 'x' then 'C' end` for one that is confidential; null: that of the row.",
    )

    confidential_below: int | None = Field(
        None,
        ge=2,
        le=1_000_000,
        description="Counts of this measure from 1 to one less are confidential, as observed and as sums of areas: no indicator gives them away.",
    )

    @model_validator(mode="after")
    def confidential_counts_are_sums(self) -> MeasureMap:
        if self.confidential_below is not None and not self.is_count:
            raise ValueError("confidential_below: only counts that add up can be confidential, not means, extremes or categories")
        return self

    @property
    def is_count(self) -> bool:
        """Whether its values can be counts: they add up over areas and sexes."""
        return self.additive and self.weighted_by is None and self.scale is None and self.aggregate in (None, "sum")

    @model_validator(mode="after")
    def periods_are_aggregated(self) -> MeasureMap:
        if self.periods is not None and self.aggregate is None:
            raise ValueError("periods: needs aggregate")
        return self

    @model_validator(mode="after")
    def only_sums_are_divided(self) -> MeasureMap:
        if not self.divisible and not self.additive:
            raise ValueError("divisible: a measure that is not additive is never divided")
        return self

    @property
    def aggregate_of_rows(self) -> str | None:
        """How the rows of one cell of the lake become one value: of one period, where the measure is a mean over periods."""
        return "sum" if self.periods is not None and self.aggregate == "mean" else self.aggregate


class ObservationsMap(Block):
    """`map` of `into: observations`."""

    where: Expression | None = Field(None, description="Rows that are observations; other rows count as ignored.")
    area: AreaReference = Field(description="The area.")
    period: Expression = Field(description="2021, 2021-Q3, 2021-07, or a date.")
    sex: Expression | None = Field(None, description="M, F, _U (unknown) or _T (the source's own total); default _T.")
    age: Expression | None = Field(None, description="_T, Y0T14, Y_GE65 ...; default _T.")
    status: Expression | None = Field(None, description="SDMX observation status of the source; default A.")
    measures: dict[Identifier, Annotated[MeasureMap, BeforeValidator(_as_measure)]] = Field(min_length=1, description="Measures by name.")


class EventsMap(Block):
    """`map` of `into: events`; event formats (ics, ofn-events, ofn-notices, schema-org-events) fill the fields by themselves."""

    where: Expression | None = Field(None, description="Rows that are events.")
    id: Expression | None = Field(None, description="Identifier of the event.")
    title: Expression | None = Field(None, description="Title; never stored if it is personal.")
    start: Expression | None = Field(None, description="First day or time.")
    end: Expression | None = Field(None, description="Last day or time.")
    area: AreaReference | None = Field(None, description="Where it takes place.")
    category: Expression | None = Field(None, description="Kind of event.")
    organiser_kind: Expression | None = Field(None, description="Kind of organiser; never a name.")
    audience: Annotated[list[Expression], BeforeValidator(one_or_more)] | None = Field(None, description="Groups that the event is for.")
    is_free: Expression | None = Field(None, description="Whether admission is free.")
    is_accessible: Expression | None = Field(None, description="Whether it is accessible.")
    is_online: Expression | None = Field(None, description="Whether it takes place online.")
    status: Expression | None = Field(None, description="scheduled, cancelled, ...")
    url: Expression | None = Field(None, description="Address of the event.")
    lat: Expression | None = Field(None, description="Latitude, degrees.")
    lon: Expression | None = Field(None, description="Longitude, degrees.")


class RegisterMap(Block):
    """`map` of `into: register`."""

    where: Expression | None = Field(None, description="Rows that are entries.")
    register_: Expression = Field(alias="register", description="Name of the register.")
    id: Expression = Field(description="Identifier of the entry.")
    area: AreaReference = Field(description="The area.")
    valid_from: Expression | None = Field(None, description="First day of validity.")
    valid_to: Expression | None = Field(None, description="First day after the validity.")
    status: Expression | None = Field(None, description="State of the entry.")
    amount: Expression | None = Field(None, description="Amount of money.")
    currency: Expression | None = Field(None, description="Currency of the amount.")
    attributes: dict[Text, Expression] = Field(default_factory=dict, description="Further attributes.")


class AreaChangesMap(Block):
    """`map` of `into: area_changes`: merges, splits and new codes. Series are restated to the current areas with status E.

    An area that passed on everything and later receives something has separated again under its old identifier. It does not exist in between.
    """

    where: Expression | None = Field(None, description="Rows that are changes.")
    from_: Expression = Field(alias="from", description="Identifier of the area that is left.")
    to: Expression = Field(description="Identifier of the area that continues it.")
    on: Expression = Field(description="First day of the change.")
    share: Expression | None = Field(
        None,
        description="Share of `from` that goes to `to`, by population, above 0 and up to 1; the rest stays. Default: everything goes to the "
        "only `to`, or to several in proportion to the pack's weight.",
    )


class BoundariesMap(Block):
    """`map` of `into: boundaries`: the polygon of an area. The areas themselves come from sources of areas.

    The geometry is a column of the file, so `columns` declares it. Levels without polygons of their own get those of the areas below them,
    joined. A polygon that crosses itself, leaves the earth, overlaps another one or belongs to no area goes to quarantine.
    """

    where: Expression | None = Field(None, description="Rows that are polygons.")
    area: AreaReference = Field(description="The area.")
    geometry: Expression = Field(
        "geometry", description="The polygon as WKT, with degrees of WGS 84, longitude first; default: the column that map formats have."
    )
    date: Expression | None = Field(None, description="The day as of which the polygon is drawn.")


MAPS: dict[str, type[Block]] = {
    "areas": AreasMap,
    "observations": ObservationsMap,
    "events": EventsMap,
    "register": RegisterMap,
    "area_changes": AreaChangesMap,
    "boundaries": BoundariesMap,
}
