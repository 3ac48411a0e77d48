"""The declarations of a pack as strict pydantic models, one class for each block of YAML. Reads no file and checks no reference between files.

Every field carries the description from which `docs/pack-format.md` is generated.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from pipelines.pack_yaml import Expression, Text, plain
from pipelines.readers.options import ReadOptions

ID = r"[A-Za-z][A-Za-z0-9_]*"
Identifier = Annotated[Text, Field(pattern=rf"^{ID}$")]
ColumnName = Annotated[Text, Field(min_length=1, pattern=r"^([^_]|_[^_]|_$)")]
"""A column of a file: any text that does not begin with `__`, which marks internal columns."""


def _is_period(value: str) -> str:
    if not re.fullmatch(r"[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?", value):
        raise ValueError("no period; write a year, a quarter (2021-Q3), a month (2021-07) or a day")
    return value


Period = Annotated[Text, AfterValidator(_is_period)]


def _texts(value: Any) -> Any:
    """A plain string is text in the pack's first language, kept under the empty key until the pack is known."""
    if isinstance(value, dict) or value is None:
        return value
    return {"": value}


Texts = Annotated[dict[str, Text], BeforeValidator(_texts)]


class Block(BaseModel):
    """A block of YAML: unknown keys and wrong types are errors; `null` means not given."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def null_is_not_given(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = set(cls.model_fields) | {f.alias for f in cls.model_fields.values() if f.alias}
        return {k: v for k, v in value.items() if v is not None or k not in known}


def _one_or_more(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


# ---------------------------------------------------------------------------------------------------------------- pack.yml


class Level(Block):
    """One level of territory."""

    id: Identifier = Field(description="Name of the level, as areas use it.")
    title: Texts | None = Field(None, description="Title, as text or by language.")
    parents: list[Identifier] = Field(default_factory=list, description="Levels directly above; several chains may meet in one level.")


class Publisher(Block):
    """Who publishes the release."""

    name: Text = Field(description="Name of the organisation.")
    iri: Text | None = Field(None, description="IRI that identifies it.")
    email: Text | None = Field(None, description="Contact address of the organisation.")
    type: (
        Literal[
            "Academia-ScientificOrganisation", "Company", "IndustryConsortium", "LocalAuthority", "NationalAuthority",
            "NonGovernmentalOrganisation", "NonProfitOrganisation", "PrivateIndividual(s)", "RegionalAuthority", "StandardisationBody",
            "SupraNationalAuthority",
        ]
        | None
    ) = Field(None, description="Kind of organisation, in the words of ADMS.")  # fmt: skip


class Peers(Block):
    """Which areas are compared with which."""

    k: int = Field(10, ge=1, description="How many peers an area has.")
    by: list[Identifier] = Field(min_length=1, description="Measures or indicators whose distance decides.")


class PackFile(Block):
    """`pack.yml`: the territory, its levels, and the defaults of a pack."""

    id: Identifier = Field(description="Identifier of the pack; names its default home.")
    title: Texts = Field(description="Title, as text or by language.")
    publisher: Publisher | None = Field(None, description="Who publishes the release.")
    licence: Text = Field("NOASSERTION", description="SPDX identifier of the release's licence.")
    base_uri: Text | None = Field(None, description="Address under which the release is published.")
    country: Text = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code.")
    languages: list[Text] = Field(
        default_factory=lambda: ["en"], min_length=1, description="Languages of titles; the first is that of plain texts."
    )
    timezone: Text = Field("UTC", description="IANA time zone of local times.")
    levels: list[Level] = Field(min_length=1, description="Levels of territory, finest first.")
    weight: Identifier | None = Field(None, description="Measure that weights areas in the coverage of ratios and in weighted statistics.")
    min_coverage: float = Field(0.9, ge=0, le=1, description="Coverage below which a parent's ratio is not published; a sum needs 1.")
    min_available: float = Field(0.6, ge=0, le=1, description="Default share of components an index node needs.")
    peers: Peers | None = Field(None, description="How peers are chosen.")
    catalogues: list[Literal["nkod", "sk"]] | None = Field(
        None,
        description="National catalogue files to write; default: nkod where `country` is CZ, sk where it is SK. They need an https `base_uri`.",
    )
    high_value: bool = Field(False, description="Annotate the release as a high-value dataset (statistics).")

    def national_catalogues(self) -> list[str]:
        """Return the national catalogues to write files for: those asked for, else that of the country."""
        if self.catalogues is not None:
            return list(self.catalogues)
        return {"CZ": ["nkod"], "SK": ["sk"]}.get(self.country, [])


# ------------------------------------------------------------------------------------------------------------ sources/*.yml


class Expect(Block):
    """What a snapshot must look like. Nothing here has a default."""

    media_type: Text | None = Field(None, description="Media type the server must state.")
    min_bytes: int | None = Field(None, ge=0, description="Smallest acceptable size in bytes.")
    size_change: float | None = Field(None, ge=0, description="Largest acceptable relative change of size against the last snapshot.")
    sha256: Text | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="Pinned content: anything else is refused.")


class Auth(Block):
    """Credentials, named by environment variables only."""

    bearer_env: Text | None = Field(None, pattern=r"^ZPO2_SECRET_[A-Z0-9_]+$", description="Variable that holds a bearer token.")
    header: Text = Field(
        "Authorization", pattern=r"^[A-Za-z0-9-]+$", description="Header it is sent in; in any other than this one it is sent as it is."
    )


class Push(Block):
    """A CloudEvent that starts the source."""

    type: Text = Field(min_length=1, description="Type of the event.")
    carries: Literal["change", "record"] = Field(
        "change",
        description="change: the event says that the source has changed, which is then fetched; record: its data are a record of the source, "
        "which has no address then. Of the events of one `subject` the latest counts; one without data takes the record away.",
    )


class Catalogue(Block):
    """A list of many data sets with the time of their last change, asked once for all sources that name it."""

    url: Text = Field(pattern=r"^https?://", description="Address of the list.")
    format: Literal["json", "tsv"] = Field("json", description="json, or text with tabs whose first line names the columns.")
    records: Text = Field("", description="json: place of the list of items, as a JSON pointer.")
    id: Text = Field(description="Key or column of an item's identifier.")
    changed: Text = Field(description="Key or column that tells when an item last changed.")
    item: Text = Field(description="Identifier of the item that stands for this source; the variables of `parts` work in it.")


class Paging(Block):
    """How an answer in pages is asked for. All pages together are one snapshot; pages are JSON.

    Places inside a page or a body are JSON pointers. Every page counts its records, so that none is missing in the end.
    """

    kind: Literal["page", "offset", "cursor", "link"] = Field(
        description="page, offset: a number goes up; cursor: a page names the next one; link: a page holds the address of the next one."
    )
    param: Text | None = Field(None, description="Query parameter that turns the page, or, with a leading `/`, a place in `body`.")
    first: int | None = Field(None, ge=0, description="First number; default 1 for page, 0 for offset.")
    size: int | None = Field(None, ge=1, description="Records of a page, sent as `size_param`.")
    size_param: Text | None = Field(None, description="Query parameter, or place in `body`, of `size`.")
    records: Text | None = Field(None, description="Place of the list of records in a page; default: `read.records`.")
    total: Text | None = Field(None, description="Place of the number of all records; fewer in the pages is an error.")
    next: Text | None = Field(None, description="Place of the next cursor or address; default of link: the Link header.")
    more: Text | None = Field(None, description="Place of the truth value that says whether another page follows.")

    @model_validator(mode="after")
    def complete(self) -> Paging:
        if self.kind != "link" and self.param is None:
            raise ValueError(f"kind {self.kind} needs param")
        if self.kind == "cursor" and self.next is None:
            raise ValueError("kind cursor needs next")
        if (self.size is None) != (self.size_param is None):
            raise ValueError("size and size_param go together")
        return self


class Fetch(Block):
    """Where the bytes come from."""

    url: Text = Field(
        description="https, http, or a path relative to the pack (also `${ZPO2_DIR_NAME}/path`); `{variable}` is a variable of `parts`."
    )
    parts: dict[Identifier, list[Text]] | None = Field(None, description="Variables and their values; one snapshot for each combination.")
    headers: dict[Text, Text] = Field(default_factory=dict, description="Request headers.")
    params: dict[Text, Text] = Field(default_factory=dict, description="Query parameters.")
    auth: Auth | None = Field(None, description="Credentials.")
    body: dict[Text, Any] | None = Field(None, description="JSON body; makes the request a POST. `{variable}` works in its texts.")
    protocol: Literal["file", "ckan", "arcgis", "czso", "eurostat"] = Field(
        "file",
        description="How the address is asked. file: as it stands; ckan: `package_show` (then `resource`) or `datastore_search`; arcgis: a layer "
        "of a FeatureServer, or a Hub feed (then `dataset` and `resource`); czso: a data set of the catalogue (then `resource`) or a DataStat "
        "selection; eurostat: an address of the dissemination API, asynchronous answers included (with `split`).",
    )
    paging: Paging | None = Field(None, description="How further pages are asked for (protocol file).")
    dataset: Text | None = Field(None, description="arcgis: identifier or title of the data set in a Hub feed.")
    resource: Text | None = Field(None, description="ckan, arcgis, czso: id, name or format of the one file that is meant.")
    split: dict[Text, list[Text]] | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="eurostat: a dimension and its values (`time` for periods): asked for one by one when the whole is too big.",
    )
    rate: float | None = Field(None, gt=0, description="Most requests a second; default 10.")
    cadence: Text | None = Field(
        None, description="Cron expression in the pack's time zone: when the sensor looks; default every day at 5."
    )
    expect: Expect | None = Field(None, description="What the bytes must look like.")
    push: Push | None = Field(None, description="Event that starts this source, or brings its records.")
    catalogue: Catalogue | None = Field(
        None,
        description="List that tells whether the source has changed: it is fetched again only when its item has another time of change.",
    )
    inbox: bool = Field(False, description="The source has no address: its files are dropped into the home's `inbox/<source>/`.")

    @field_validator("body", mode="before")
    @classmethod
    def plain_numbers(cls, value: Any) -> Any:
        return plain(value)

    @model_validator(mode="before")
    @classmethod
    def some_have_no_address(cls, value: Any) -> Any:
        if not isinstance(value, dict) or value.get("url") is not None:
            return value
        push = value.get("push")
        brought = isinstance(push, dict) and push.get("carries") == "record"
        return {**value, "url": ""} if brought or value.get("inbox") is True else value

    @property
    def brings_records(self) -> bool:
        """Whether the source consists of records that pushed events carry."""
        return self.push is not None and self.push.carries == "record"

    @model_validator(mode="after")
    def one_way_in(self) -> Fetch:
        if self.url and (self.brings_records or self.inbox):
            raise ValueError("a source whose records are pushed, or whose files are dropped, has no url")
        if self.brings_records and (self.inbox or self.parts):
            raise ValueError("a source whose records are pushed has neither inbox nor parts")
        if not self.url and (self.catalogue or self.cadence):
            raise ValueError("catalogue and cadence are for a source with an url")
        return self

    @model_validator(mode="after")
    def one_way_to_ask(self) -> Fetch:
        if self.paging and self.protocol != "file":
            raise ValueError(f"protocol {self.protocol} turns pages by itself; paging is for protocol file")
        for key, protocols in (("dataset", ("arcgis",)), ("resource", ("ckan", "arcgis", "czso")), ("split", ("eurostat",))):
            if getattr(self, key) is not None and self.protocol not in protocols:
                raise ValueError(f"{key} is for protocol {' or '.join(protocols)}")
        remote = self.url.startswith(("http://", "https://"))
        if not remote and (self.paging or self.body is not None or self.protocol != "file"):
            raise ValueError("paging, body and protocols are for addresses, not for paths")
        return self


class Break(Block):
    """A break in a series."""

    measure: Identifier = Field(description="Measure whose series breaks.")
    period: Period = Field(description="First period after the break.")
    note: Text | None = Field(None, description="What changed.")


class Correction(Block):
    """A declared correction, guarded by the value it expects to find."""

    where: Expression = Field(description="Rows to correct.")
    set: dict[Text, Text] = Field(description="New texts by column.")
    expect: dict[Text, Text] = Field(default_factory=dict, description="Texts that must still be there.")
    reason: Text = Field(description="Why.")


class ColumnSpec(Block):
    """The contract of one column."""

    type: Literal["string", "integer", "number", "boolean", "date", "datetime"] = Field("string", description="Declared type.")
    from_: Text | None = Field(None, alias="from", description="Name in the file, where it differs.")
    required: bool = Field(False, description="An empty cell puts the row in quarantine.")
    min: float | Text | None = Field(None, description="Smallest value.")
    max: float | Text | None = Field(None, description="Largest value.")
    pattern: Text | None = Field(None, description="Regular expression for the whole value.")
    values: list[Text] | None = Field(None, description="Allowed values.")
    decimal: Text | None = Field(None, description="Decimal mark of this column.")
    thousands: Text | None = Field(None, description="Thousands separator of this column.")
    personal: bool = Field(False, description="Personal data: usable in a count, never stored, masked in quarantine.")


class AreaMap(Block):
    """One area made out of a row."""

    ref_area: Expression = Field(description="Identifier of the area.")
    level: Expression = Field(description="Its level.")
    name: Expression | None = Field(None, description="Its name.")
    country: Expression | None = Field(None, description="Its country, ISO 3166-1 alpha-2; default: the pack's.")
    codes: dict[Text, Expression] = Field(default_factory=dict, description="Codes by scheme.")
    parents: dict[Identifier, Expression] = Field(default_factory=dict, description="Direct parents by level.")
    valid_from: Expression | None = Field(None, description="First day of validity.")
    valid_to: Expression | None = Field(None, description="First day on which it is no longer valid.")
    lat: Expression | None = Field(None, description="Latitude, degrees.")
    lon: Expression | None = Field(None, description="Longitude, degrees.")
    area_km2: Expression | None = Field(None, description="Area in square kilometres.")
    attributes: dict[Text, Expression] = Field(default_factory=dict, description="Further attributes.")


class AreasMap(Block):
    """`map` of `into: areas`."""

    area: Annotated[list[AreaMap], BeforeValidator(_one_or_more)] = Field(description="The area, or a list of areas, of a row.")
    where: Expression | None = Field(None, description="Rows that are areas.")


class AreaReference(Block):
    """How a row names its area: by `ref_area`, or by `scheme` and `code`."""

    ref_area: Expression | None = Field(None, description="Identifier of the area.")
    scheme: Text | None = Field(None, description="Scheme of the code.")
    code: Expression | None = Field(None, description="Code in that scheme.")

    @model_validator(mode="after")
    def one_way(self) -> AreaReference:
        by_code = self.scheme is not None and self.code is not None
        if (self.ref_area is not None) == by_code or (self.scheme is None) != (self.code is None):
            raise ValueError("give either ref_area, or scheme and code")
        return self


def _measure(value: Any) -> Any:
    return value if isinstance(value, dict) else {"value": value}


class MeasureMap(Block):
    """One measure of a row."""

    value: Expression = Field(description="The value.")
    where: Expression | None = Field(None, description="Rows that carry it.")
    aggregate: Literal["sum", "min", "max"] | None = Field(
        None, description="How the rows of one cell become one value. A total is not added to its parts."
    )
    additive: bool = Field(True, description="false: never summed over sex or territory.")
    weighted_by: Identifier | None = Field(None, description="Measure that weights the mean at parents.")
    scale: dict[Text, float] | None = Field(None, description="Numbers for categories.")


class ObservationsMap(Block):
    """`map` of `into: observations`."""

    where: Expression | None = Field(None, description="Rows that are observations; the others are ignored and counted.")
    area: AreaReference = Field(description="The area.")
    period: Expression = Field(description="2021, 2021-Q3, 2021-07, or a date.")
    sex: Expression | None = Field(None, description="M, F, _U (unknown) or _T (the source's own total); default _T.")
    age: Expression | None = Field(None, description="_T, Y0T14, Y_GE65 ...; default _T.")
    status: Expression | None = Field(None, description="SDMX observation status of the source; default A.")
    measures: dict[Identifier, Annotated[MeasureMap, BeforeValidator(_measure)]] = Field(min_length=1, description="Measures by name.")


class EventsMap(Block):
    """`map` of `into: events`; formats made for events fill the fields by themselves."""

    where: Expression | None = Field(None, description="Rows that are events.")
    id: Expression | None = Field(None, description="Identifier of the event.")
    title: Expression | None = Field(None, description="Title; never stored where it is personal.")
    start: Expression | None = Field(None, description="First day or time.")
    end: Expression | None = Field(None, description="Last day or time.")
    area: AreaReference | None = Field(None, description="Where it takes place.")
    category: Expression | None = Field(None, description="Kind of event.")
    organiser_kind: Expression | None = Field(None, description="Kind of organiser, never a name.")
    audience: Annotated[list[Expression], BeforeValidator(_one_or_more)] | None = Field(None, description="Groups it is meant for.")
    is_free: Expression | None = Field(None, description="Free of charge.")
    is_accessible: Expression | None = Field(None, description="Accessible.")
    is_online: Expression | None = Field(None, description="Online.")
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
    valid_to: Expression | None = Field(None, description="First day on which it is no longer valid.")
    status: Expression | None = Field(None, description="State of the entry.")
    amount: Expression | None = Field(None, description="Amount of money.")
    currency: Expression | None = Field(None, description="Currency of the amount.")
    attributes: dict[Text, Expression] = Field(default_factory=dict, description="Further attributes.")


class AreaChangesMap(Block):
    """`map` of `into: area_changes`: merges, splits and new codes. Series are restated to the current areas, flagged E."""

    where: Expression | None = Field(None, description="Rows that are changes.")
    from_: Expression = Field(alias="from", description="Identifier of the area that passes on.")
    to: Expression = Field(description="Identifier of the area that it passes to.")
    on: Expression = Field(description="First day of the new state.")
    share: Expression | None = Field(
        None,
        description="Share of `from` that goes to `to`, by population, above 0 and up to 1; what is not passed on stays. Without it all goes to "
        "the one `to`, or to several in proportion to the pack's weight.",
    )


Map = AreasMap | ObservationsMap | EventsMap | RegisterMap | AreaChangesMap
MAPS: dict[str, type[Block]] = {
    "areas": AreasMap,
    "observations": ObservationsMap,
    "events": EventsMap,
    "register": RegisterMap,
    "area_changes": AreaChangesMap,
}


class SourceHead(Block):
    """What every fetched source and every counted source has."""

    id: Identifier = Field(description="Identifier; equals the file's name.")
    title: Texts | None = Field(None, description="Title.")
    universe: Expression | None = Field(
        None, description="Who reports: `all`, or a condition on areas; default: areas with any row in that source and period."
    )
    breaks: list[Break] = Field(default_factory=list, description="Breaks in series.")
    enabled: bool = Field(True, description="false: declared, never fetched.")


class FetchedSource(SourceHead):
    """`sources/ID.yml`: a source that is fetched and read."""

    title: Texts = Field(description="Title.")
    publisher: Text = Field(description="Who publishes the source.")
    licence: Text = Field(description="SPDX identifier, or NOASSERTION.")
    homepage: Text | None = Field(None, description="Address of the source's page.")
    citation: Text | None = Field(None, description="How to cite it.")
    theme: Literal["municipal", "census", "events"] = Field(description="Kind of source; groups the assets.")
    confidence: Literal["file", "documented", "unverified"] = Field("unverified", description="How sure the interface's shape is.")
    optional: bool = Field(False, description="true: its failure on a first run is exit 3, not 1.")
    fetch: Fetch = Field(description="Where the bytes come from.")
    read: ReadOptions = Field(description="How the bytes become rows.")
    on_schema_change: Literal["evolve", "warn", "freeze"] = Field("warn", description="What a changed set of columns does.")
    corrections: list[Correction] = Field(default_factory=list, description="Declared corrections.")
    columns: dict[ColumnName, ColumnSpec] = Field(default_factory=dict, description="The contract of the rows.")
    key: list[Text] = Field(default_factory=list, description="Columns that identify a row.")
    into: Literal["areas", "observations", "events", "register", "area_changes"] = Field(description="Canonical kind.")
    map: Any = Field(None, description="How a row becomes that kind.")

    @field_validator("read", mode="before")
    @classmethod
    def null_keys_are_not_given(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class CountedSource(SourceHead):
    """`sources/ID.yml` with `from`: measures counted out of the lake."""

    from_: Literal["events", "register"] = Field(alias="from", description="What is counted.")
    where: Expression | None = Field(None, description="What counts.")
    period: Expression | None = Field(None, description="Period of an event; default: the year of its start.")
    measures: dict[Identifier, Expression] = Field(min_length=1, description="Aggregate expressions by measure.")


# --------------------------------------------------------------------------------------------------------- indicators/*.yml


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


# ------------------------------------------------------------------------------------------------------------ indices/*.yml


class Treat(Block):
    """Treatment of outliers before normalising."""

    max_points: int = Field(5, ge=0, description="Most points winsorised.")
    skewness: float = Field(2.0, description="Largest absolute skewness left alone.")
    kurtosis: float = Field(3.5, description="Largest excess kurtosis left alone.")


class Impute(Block):
    """Imputation of missing values."""

    method: Literal["mean", "median", "group_mean", "group_median", "component_group_mean"] = Field(description="What fills a gap.")
    by: Text | None = Field(None, description="Attribute of areas that makes the groups.")


class Normalise(Block):
    """How an indicator becomes a score."""

    method: Literal["minmax", "zscore", "rank", "borda", "percentile", "distance_to_target", "distance_to_reference", "fraction_of_max"] = (
        Field("minmax", description="Method.")
    )
    scale: list[float] | None = Field(
        None, min_length=2, max_length=2, description="Range (minmax), or mean and standard deviation (zscore)."
    )
    clip: bool = Field(False, description="Cut scores to the scale.")
    target: float | None = Field(None, description="Target of distance_to_target.")
    reference: Text | None = Field(None, description="Area of distance_to_reference.")


Aggregation = Literal["arithmetic", "geometric", "harmonic"]


class Component(Block):
    """A node of an index: an indicator, or a group of components."""

    indicator: Identifier | None = Field(None, description="The indicator of a leaf.")
    id: Identifier | None = Field(None, description="Identifier of a group.")
    weight: float = Field(1.0, ge=0, description="Relative weight inside its node.")
    bounds: list[float] | None = Field(None, min_length=2, max_length=2, description="[worst, best]: what scores lowest and highest.")
    direction: Literal["higher_better", "lower_better", "target"] | None = Field(None, description="Overrides the indicator's.")
    normalise: Normalise | None = Field(None, description="Overrides the index's.")
    aggregate: Aggregation | None = Field(None, description="How a group is aggregated.")
    components: list[Component] = Field(default_factory=list, description="Components of a group.")

    @model_validator(mode="after")
    def leaf_or_group(self) -> Component:
        if self.indicator is not None:
            if self.components or self.id is not None or self.aggregate is not None:
                raise ValueError("a component is an indicator, or a group with id and components, not both")
        elif self.id is None or not self.components:
            raise ValueError("give an indicator, or id and components")
        return self


class Uncertainty(Block):
    """How the robustness of ranks is examined."""

    replicates: int = Field(500, ge=1, description="Monte Carlo replicates.")
    seed: int = Field(1, description="Seed.")
    vary: list[Literal["weights", "normalisation", "leave_one_out"]] = Field(default_factory=list, description="What varies.")


class Index(Block):
    """`indices/ID.yml`: a composite index."""

    id: Identifier = Field(description="Identifier.")
    title: Texts = Field(description="Title.")
    objective: Text = Field(pattern=r"^ZPO[0-9]+-[0-9]+$", description="Objective; decides the table it is published in.")
    level: Identifier = Field(description="Level whose areas are scored.")
    period: Literal["latest", "each"] = Field("latest", description="latest: each indicator's last period; each: every period.")
    max_age: int | None = Field(None, ge=0, description="Years a latest value may be older than the newest.")
    carry: int = Field(0, ge=0, description="With each: years a value is carried on.")
    treat: Treat | None = Field(None, description="Treatment of outliers.")
    impute: Impute | None = Field(None, description="Imputation.")
    normalise: Normalise = Field(default_factory=lambda: Normalise(scale=[0.0, 100.0]), description="Normalisation.")
    pooled: bool = Field(False, description="Bounds over all periods.")
    aggregate: Aggregation = Field("arithmetic", description="Aggregation of components.")
    min_available: float | None = Field(None, ge=0, le=1, description="Share of a node's components that must be there.")
    components: list[Component] = Field(min_length=1, description="The tree of components.")
    uncertainty: Uncertainty | None = Field(None, description="Robustness.")
