"""The blocks of `sources/ID.yml`, other than `fetch` and `map`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.core.yaml import Expression, Text
from pipelines.packs.schema.base import Block, ColumnName, Identifier, Owner, Period, Tags, Texts
from pipelines.packs.schema.fetch import Fetch
from pipelines.readers.options import ReadOptions


class Break(Block):
    """A break in a series."""

    measure: Identifier = Field(description="Measure whose series breaks.")
    period: Period = Field(description="First period after the break.")
    note: Texts | None = Field(None, description="What changed.")


class Note(Block):
    """What readers should know about some values of a source, such as why they are missing. Of several notes on a value the first one stands."""

    where: Expression | None = Field(None, description="Rows that the note is about; default: all rows.")
    areas: Expression | None = Field(
        None,
        description="In place of rows: the areas that the note is about in each period of the source in which they have no row. A condition on "
        "areas, as in `universe`, or `all`.",
    )
    undefined: bool = Field(
        False, description="With `areas`: there can be no such value, for example by law. The status is Z in place of O or M."
    )
    always: bool = Field(False, description="The note also stands on values with the status A.")
    measures: list[Identifier] = Field(min_length=1, description="Measures that the note is about.")
    note: Texts = Field(description="The note.")

    @model_validator(mode="after")
    def is_about_rows_or_areas(self) -> Note:
        if self.areas is not None and self.where is not None:
            raise ValueError("give either where or areas")
        if self.undefined and self.areas is None:
            raise ValueError("undefined: needs areas")
        return self


class Correction(Block):
    """A correction of cells. It applies only while the cells have the expected texts."""

    where: Expression = Field(description="Rows to correct.")
    set: dict[Text, Text] = Field(description="New texts by column.")
    expect: dict[Text, Text] = Field(default_factory=dict, description="Texts by column that the rows must still have.")
    reason: Text = Field(description="Reason for the correction.")


class ColumnSpec(Block):
    """The contract of one column: its type and the values it may have."""

    type: Literal["string", "integer", "number", "boolean", "date", "datetime"] = Field("string", description="Declared type.")
    from_: Text | None = Field(None, alias="from", description="Name of the column in the file, if it differs.")
    required: bool = Field(False, description="Rows with an empty cell go to quarantine.")
    min: float | Text | None = Field(None, description="Smallest value.")
    max: float | Text | None = Field(None, description="Largest value.")
    pattern: Text | None = Field(None, description="Regular expression that the whole text must match.")
    values: list[Text] | None = Field(None, description="Allowed values.")
    decimal: Text | None = Field(None, description="Decimal mark of this column.")
    thousands: Text | None = Field(None, description="Thousands separator of this column.")
    personal: bool = Field(False, description="Personal data: can be counted, is never stored, and is masked in quarantine.")


class Lookup(Block):
    """Under `lookups`: columns that come from the matching row of another source.

    They are there before `map`, with the types of that source; a personal column stays personal. A row without a match has empty cells. A row
    with several matches that differ in the cells taken goes to quarantine.
    """

    source: Identifier = Field(
        description="The other source, whose accepted rows are read from the archive. The rows are mapped again when it changes."
    )
    on: dict[Expression, Expression] = Field(
        min_length=1,
        description="What must be equal, as text: an expression over the columns here (also those of lookups above), and one over the columns of the "
        "other source. Most are plain columns, such as `code: KOD`. Empty matches nothing. On a variable of its `parts`, only the parts with "
        "matching values are read.",
    )
    take: dict[ColumnName, Text] = Field(min_length=1, description="New column here: column of the other source.")


class SourceHead(Block):
    """The keys that fetched and counted sources share."""

    id: Identifier = Field(description="Identifier; must be the name of the file.")
    title: Texts | None = Field(None, description="Title.")
    universe: Expression | None = Field(
        None, description="The areas that report: `all`, or a condition on areas; default: areas with any row in the source and period."
    )
    breaks: list[Break] = Field(default_factory=list, description="Breaks in series.")
    enabled: bool = Field(True, description="false: the source is declared but never fetched.")
    owners: list[Owner] = Field(
        default_factory=list, description="Who looks after the source, as Dagster shows it; default: those of the pack."
    )
    tags: Tags = Field(default_factory=dict, description="Tags of the source's asset in Dagster, beside those of the pack.")


class Carrier(Block):
    """Who passes a file of the publisher on, such as a repository that keeps a copy."""

    name: Text = Field(description="Name of the carrier, such as that of a repository.")
    homepage: Text | None = Field(None, description="Address of the carrier's page.")
    revision: Text | None = Field(None, description="Revision or date of the copy.")
    licence: Text = Field("NOASSERTION", description="SPDX identifier of the licence that the carrier states, or NOASSERTION.")


class FetchedSource(SourceHead):
    """`sources/ID.yml`: a source of files or pushed records."""

    title: Texts = Field(description="Title.")
    publisher: Text = Field(description="Who publishes the source.")
    licence: Text = Field(description="SPDX identifier, or NOASSERTION.")
    licence_url: Text | None = Field(None, description="Address of the page on which the publisher states the licence or the terms of use.")
    rights: Texts | None = Field(
        None, description="What is known about the terms of use where the publisher states no licence that has an SPDX identifier."
    )
    carrier: Carrier | None = Field(None, description="Who passes the file on, if it does not come from the publisher.")
    homepage: Text | None = Field(None, description="Address of the source's page.")
    citation: Text | None = Field(None, description="How to cite the source.")
    theme: Literal["municipal", "census", "events"] = Field(description="Kind of source; groups the assets in Dagster.")
    confidence: Literal["file", "documented", "unverified"] = Field(
        "unverified", description="How well the format of the source is known: from a file, from its documentation, or not verified."
    )
    optional: bool = Field(False, description="true: if it fails on the first run, the exit code is 3 and not 1.")
    fetch: Fetch = Field(description="Where the bytes come from.")
    read: ReadOptions = Field(description="How the bytes become rows.")
    snapshot: Literal["complete", "window"] | None = Field(
        None,
        description="complete: a snapshot holds everything, so it may not lose many rows (`expect.rows_change`); window: it holds what is coming or "
        "recent, and may shrink. Default: window for events and pushed records, else complete.",
    )
    max_quarantined: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Largest acceptable share of refused rows, and of refused cells of a measure that an indicator reads; fewer than 5 are "
        "acceptable unless they are all. It holds for the source, and for each of its parts with more than one row. "
        "1 accepts any number. Default: 0.2; for pushed records 1.",
    )
    on_schema_change: Literal["evolve", "warn", "freeze"] | None = Field(
        None,
        description="What happens when the set of columns changes: accept, warn, or refuse the snapshot. Default: refuse a snapshot that lacks a "
        "column which the map uses, and warn of all other changes.",
    )
    notes: list[Note] = Field(
        default_factory=list,
        description="Notes on values (into observations). A published value of the area whose status is not A refers to the first of them: in the "
        "order of sources by file name, and in a source in that of the declaration.",
    )
    corrections: list[Correction] = Field(default_factory=list, description="Corrections of cells.")
    columns: dict[ColumnName, ColumnSpec] = Field(default_factory=dict, description="The contract of the columns.")
    key: list[Text] = Field(default_factory=list, description="Columns that identify a row.")
    lookups: dict[Identifier, Lookup] = Field(
        default_factory=dict, description="Columns taken from other sources, by a name of yours; in the order of the declaration."
    )
    into: Literal["areas", "observations", "events", "register", "area_changes", "boundaries"] = Field(description="What a row becomes.")
    map: Any = Field(None, description="How a row becomes that.")

    def note_id(self, position: int) -> str:
        """Return the identifier of a note in the published code list."""
        return f"{self.id}_{position + 1}"

    @property
    def is_window(self) -> bool:
        """Whether a snapshot may be much smaller than the one before."""
        return self.snapshot == "window" or (self.snapshot is None and (self.into == "events" or self.fetch.brings_records))

    @field_validator("read", mode="before")
    @classmethod
    def null_keys_are_not_given(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class CountedSource(SourceHead):
    """`sources/ID.yml` with `from`: measures that count events or entries of registers."""

    from_: Literal["events", "register"] = Field(alias="from", description="What is counted.")
    where: Expression | None = Field(None, description="Condition on the events or entries to count.")
    period: Expression | None = Field(None, description="Period of an event; default: the year of its start.")
    count_on: Text = Field(
        "01-01",
        pattern=r"^[0-9]{2}-[0-9]{2}$",
        description="register: month and day on which an entry must be valid to count in a year; the last year is the one of which the newest "
        "snapshot has seen this day.",
    )
    from_year: int | None = Field(
        None, ge=1, le=9999, description="register: first year to count; default: the year of the first `valid_from`."
    )
    measures: dict[Identifier, Expression] = Field(min_length=1, description="Aggregate expressions by measure, such as `count(*)`.")

    @field_validator("count_on")
    @classmethod
    def is_day_of_every_year(cls, value: str) -> str:
        try:
            date.fromisoformat(f"2023-{value}")
        except ValueError:
            raise ValueError("expected month and day of every year, such as 12-31") from None
        return value

    @model_validator(mode="after")
    def only_registers_have_a_day(self) -> CountedSource:
        if self.from_ != "register" and self.model_fields_set & {"count_on", "from_year"}:
            raise ValueError("count_on and from_year are for registers; an event counts in its own period")
        return self

    def last_year(self, fetched: Iterable[str], now: datetime) -> int:
        """Return the last year to count, given the times at which the snapshots were fetched (ISO 8601)."""
        newest = max((time for time in fetched if time), default=now.isoformat())
        year = int(newest[:4])
        return year if newest[5:10] >= self.count_on else year - 1
