"""The blocks of `sources/ID.yml`, other than `fetch` and `map`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from pipelines.core.yaml import Expression, Text
from pipelines.packs.schema.base import Block, ColumnName, Identifier, Period, Texts
from pipelines.packs.schema.fetch import Fetch
from pipelines.readers.options import ReadOptions


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
