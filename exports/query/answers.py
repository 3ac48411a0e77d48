"""What the questions to a release return. A cell without a value has no number in it: no value, numerator, denominator or interval."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Sex = Literal["_T", "F", "M"]
Outcome = Literal["better", "worse", "higher", "lower", "similar", "not_compared"]


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(Model):
    """A source of the numbers, to be named where they are shown."""

    source: Annotated[str, Field(description="Identifier of the source")]
    title: str
    publisher: str
    licence: Annotated[str, Field(description="SPDX identifier; NOASSERTION where the publisher states none")]
    rights: Annotated[str | None, Field(description="What is known about the terms of use, where there is no licence")] = None
    carrier: Annotated[str | None, Field(description="Who passed the data on, if not the publisher")] = None
    citation: Annotated[str | None, Field(description="How the source is to be named")] = None
    homepage: str | None = None


class About(Model):
    """The release that an answer is from."""

    title: str
    version: str
    released: Annotated[str, Field(description="Time of publication, ISO 8601")]
    address: Annotated[str | None, Field(description="Address of the release")] = None
    publisher: str | None = None
    licence: Annotated[str, Field(description="Licence of the release, SPDX identifier")]
    licence_address: str | None = None


class Answer(Model):
    """What every answer has: the release, the sources to name, the language, and notes that must be read with the numbers."""

    release: About
    language: str
    attribution: list[Origin] = []
    notes: Annotated[list[str], Field(description="What must be said together with the answer")] = []


class PlaceName(Model):
    """A place in short."""

    code: Annotated[str, Field(description="ref_area: use it to ask again")]
    name: str
    level: str


class Place(PlaceName):
    """A place with the places that it lies in, the nearest first."""

    within: list[PlaceName] = []
    valid_to: Annotated[str | None, Field(description="First day on which the place no longer existed; null if it exists")] = None


class Missing(Model):
    """Why a cell has no value, and who could supply it."""

    reason: str
    note: Annotated[str | None, Field(description="Note of the source on this cell")] = None
    needed: Annotated[str | None, Field(description="The data that would be needed")] = None
    supplier: Annotated[str | None, Field(description="Who has the data or could supply them")] = None
    periods_with_value: Annotated[list[str], Field(description="Newest periods in which the place has a value")] = []


class Interval(Model):
    """How far chance alone could have moved the value, in its unit."""

    lower_95: float
    upper_95: float
    lower_998: float | None = None
    upper_998: float | None = None


class Comparison(Model):
    """Whether a value differs from a reference by more than chance, as the release says."""

    against: Annotated[str, Field(description="Code of the reference area, or peers")]
    against_name: str
    reference_value: float | None
    outcome: Outcome
    significance: Annotated[float | None, Field(description="99.8 or 95: the widest interval that the reference lies outside of")] = None
    reason: Annotated[str | None, Field(description="Why the outcome is not_compared")] = None
    text: Annotated[str, Field(description="The outcome in words")]


class Cell(Model):
    """One number of the release, or the reason why there is none."""

    indicator: str
    place: PlaceName
    period: str | None
    sex: Sex = "_T"
    age: str = "_T"
    value: Annotated[float | None, Field(description="As published, to 12 digits; null if missing: never replace it by a number")]
    text: Annotated[str | None, Field(description="The value rounded for readers, with its unit; null if missing")]
    unit: str
    status: Annotated[
        str | None,
        Field(description="A normal, B break, E estimated, I imputed, P provisional; without a value M, L, Q, C, O, Z, S; null: no row"),
    ]
    status_text: str
    numerator: float | None = None
    denominator: float | None = None
    coverage: Annotated[float | None, Field(description="Share of the areas below that have a value, by weight, 0 to 1")] = None
    interval: Interval | None = None
    note: str | None = None
    missing: Annotated[Missing | None, Field(description="Only where there is no value")] = None


class IndicatorFacts(Model):
    """An indicator as the release describes it."""

    indicator: Annotated[str, Field(description="Identifier: use it to ask again")]
    title: str
    description: str
    unit: str
    objective: str | None
    measure: str | None
    field: str | None
    direction: Annotated[str, Field(description="higher_better, lower_better, target or none")]
    target: float | None = None
    depends_on_size: Annotated[bool, Field(description="Only areas of a similar size compare")] = False
    has_data: bool
    levels: list[str] = []
    first_period: str | None = None
    last_period: str | None = None
    needed: Annotated[str | None, Field(description="Data that are needed and not collected")] = None
    supplier: Annotated[str | None, Field(description="Who could supply them")] = None


class PlacesFound(Answer):
    """Places whose names or codes match."""

    places: list[Place]
    total: int
    next_offset: Annotated[int | None, Field(description="Ask again with this offset for more; null at the end")] = None


class IndicatorsFound(Answer):
    """Indicators whose titles, identifiers or descriptions match."""

    indicators: list[IndicatorFacts]
    total: int
    next_offset: int | None = None


class ValueAnswer(Answer):
    """One value."""

    indicator: IndicatorFacts
    place: Place
    cell: Cell
    comparisons: list[Comparison] = []


class Break(Model):
    """A break in a series, as its source declares it."""

    period: Annotated[str, Field(description="First period after the break")]
    measure: str
    note: str


class Trend(Model):
    """Whether a series changed by more than chance over its last five periods."""

    first_period: str
    last_period: str
    trend: Annotated[str, Field(description="increasing, decreasing, no significant change or not assessed")]
    direction: Annotated[str | None, Field(description="better or worse in the direction of the indicator, compared with itself earlier")]


class SeriesAnswer(Answer):
    """All periods of one indicator and place, oldest first."""

    indicator: IndicatorFacts
    place: Place
    cells: list[Cell]
    total: int
    next_offset: int | None = None
    breaks: list[Break] = []
    trend: Trend | None = None


class ComparedPlace(Model):
    """A place with its value, and what the release compares it with."""

    cell: Cell
    comparisons: list[Comparison] = []


class CompareAnswer(Answer):
    """The same indicator and period for several places."""

    indicator: IndicatorFacts
    period: str | None
    places: list[ComparedPlace]


class RankedPlace(Model):
    """A place in an order by value. Equal values share a position."""

    position: int
    position_low: Annotated[int | None, Field(description="Best position that chance alone allows; null without intervals")] = None
    position_high: Annotated[int | None, Field(description="Worst position that chance alone allows")] = None
    cell: Cell


class RankAnswer(Answer):
    """The places of a level within a territory, in order of their values. Places without a value have no position."""

    indicator: IndicatorFacts
    within: PlaceName
    level: str
    period: str | None
    order: Literal["highest", "lowest"]
    ranked: list[RankedPlace]
    with_value: int
    without_value: int
    unranked: Annotated[list[Cell], Field(description="Places without a value, at most 20")] = []
    place: Annotated[RankedPlace | None, Field(description="The place that was asked for")] = None
    next_offset: int | None = None


class IndexPlace(Model):
    """A place in an index. Score and rank only where the ranks of the index hold; else its fifth."""

    place: PlaceName
    period: str
    fifth: Annotated[int | None, Field(description="1 is the best fifth; null without a score")]
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    score: float | None = None
    status: str
    status_text: str


class IndexAnswer(Answer):
    """Places in an index or in one of its components."""

    index: str
    component: str
    title: str
    level: str
    rankable: Annotated[bool, Field(description="False: ranks depend on the method; say only fifths")]
    places: list[IndexPlace]
    total: int
    next_offset: int | None = None


class Peer(Model):
    """A similar place."""

    position: int
    place: PlaceName
    distance: float
    cell: Cell | None = None


class PeersAnswer(Answer):
    """The places that are most like a place, the nearest first."""

    place: Place
    peers: list[Peer]
    cell: Annotated[Cell | None, Field(description="The value of the place itself, if an indicator was asked for")] = None
    comparison: Annotated[Comparison | None, Field(description="The value against the peers together")] = None


class GroupAnswer(Answer):
    """A value of several places together, from the sums of their numerators and denominators."""

    indicator: IndicatorFacts
    period: str
    value: Annotated[float | None, Field(description="null if a place has no value, unless skip_missing was asked for")]
    text: str | None
    unit: str
    formula: Annotated[str | None, Field(description="The computation with figures")] = None
    numerator: float | None = None
    denominator: float | None = None
    counted: Annotated[list[PlaceName], Field(description="The places in the value")]
    left_out: Annotated[list[Cell], Field(description="The places without a value")] = []


class SourceFile(Model):
    """A file of a source behind a value."""

    part: str
    address: str
    sha256: str
    fetched_at: str


class SourceUsed(Model):
    """A source behind a value, with its files."""

    origin: Origin
    files: list[SourceFile]
    total_files: int
    stale_since: str | None = None


class ExplainAnswer(Answer):
    """How a value came about, from the tables of the release."""

    indicator: IndicatorFacts
    place: Place
    cell: Cell
    formula: Annotated[str, Field(description="The declared formula")]
    computation: Annotated[str | None, Field(description="The formula with the figures put in; null without a value")]
    sources: list[SourceUsed]
    breaks: list[Break] = []
    command: Annotated[str, Field(description="The command that traces the number to the bytes of the sources, in a workspace")]


class LevelFacts(Model):
    """A level of places."""

    level: str
    places: int


class MeasureFacts(Model):
    """A measure of an objective, and what data it has."""

    objective: str
    measure: str
    title: str
    indicators: int
    indicators_with_data: int
    needed: str | None = None


class IndexFacts(Model):
    """An index of the release."""

    index: str
    title: str
    level: str
    rankable: bool
    note: str


class ReleaseAnswer(Answer):
    """What a release contains."""

    languages: list[str]
    levels: list[LevelFacts]
    indicators: int
    indicators_with_data: int
    first_period: str | None
    last_period: str | None
    measures: list[MeasureFacts]
    indices: list[IndexFacts]
    statuses: Annotated[dict[str, str], Field(description="Meaning of the codes of status")]
