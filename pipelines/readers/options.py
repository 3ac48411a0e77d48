"""The `read` block of a source: how bytes become rows of text."""

from __future__ import annotations

import codecs
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from pipelines.core.yaml import Expression, Text

Format = Literal[
    "csv",
    "xlsx",
    "xls",
    "ods",
    "json",
    "parquet",
    "rdata",
    "jsonstat",
    "sdmx-csv",
    "eurostat-tsv",
    "geojson",
    "xml",
    "ics",
    "ofn-events",
    "ofn-notices",
    "schema-org-events",
]

EVENT_FORMATS = {"ics", "ofn-events", "ofn-notices", "schema-org-events"}
EVENT_COLUMNS = (
    "id", "title", "start", "end", "area", "category", "organiser_kind", "audience", "is_free", "is_accessible", "is_online",
    "status", "url", "lat", "lon", "organiser_ico", "categories", "language", "description", "location", "__raw",
)  # fmt: skip
"""The columns that every event format has."""


def _position_or_name(value: Any) -> Any:
    """Return an unquoted whole number as a position, and anything else as a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return getattr(value, "text", value)


def _tab(value: Any) -> Any:
    return "\t" if value == "\\t" else value


class ReadOptions(BaseModel):
    """`read`: the format of the bytes and its dialect."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Format = Field(description="Format of the bytes.")
    encoding: Text = Field(
        "utf-8", description="Encoding of text formats, by its Python name; a byte order mark in the file takes precedence."
    )
    delimiter: Annotated[Text, BeforeValidator(_tab)] = Field(",", description="csv: the character between fields; `\\t` is a tab.")
    quote: Text = Field('"', description="csv: the character around a field, doubled inside it; '' if fields are never quoted.")
    decimal: Text = Field(".", description="Decimal mark of numbers, unless a column declares another.")
    thousands: Text | None = Field(
        None, description="Thousands separator of numbers, unless a column declares another; a space also stands for a no-break space."
    )
    skip_rows: int = Field(0, ge=0, description="Lines or sheet rows above the header, including blank ones.")
    header_rows: int = Field(
        1,
        ge=0,
        description="Rows of the header; several are joined with ` / `, and a blank cell above the last row takes the text of the cell to its left.",
    )
    names: list[Text] | None = Field(
        None, min_length=1,
        description="Names of the columns by position, instead of those in the header rows; names beyond the last column give empty "
        "columns, columns beyond the last name are dropped.",
    )  # fmt: skip
    sheet: Annotated[int | str, BeforeValidator(_position_or_name)] = Field(
        0, description="xlsx, xls, ods: the sheet, by position from 0 or by name."
    )
    records: Text | None = Field(
        None,
        description="json: JSON pointer to the list of records; default: the whole document. "
        "jsonstat: the data set of a bundle or a collection, by key or position; xml: path of the records, such as /list/item; "
        "rdata: the data frame, by its name.",
    )
    member: Text | None = Field(None, description="The file inside a ZIP archive.")
    na: list[Text] = Field(default_factory=lambda: [""], description="Texts that stand for a missing value.")
    ignore: Expression | None = Field(
        None, description="Condition on the text cells of rows that are no data, such as sub-headers and totals."
    )

    @field_validator("encoding")
    @classmethod
    def encoding_exists(cls, value: str) -> str:
        try:
            codecs.lookup(value)
            b"a".decode(value, "replace")  # raises an error if the codec does not decode to text
        except (LookupError, UnicodeError, ValueError):
            raise ValueError(f"{value!r} is not a supported text encoding") from None
        return value

    @field_validator("delimiter", "quote", "decimal", "thousands")
    @classmethod
    def one_character(cls, value: str | None, info: Any) -> str | None:
        if value is None or (value == "" and info.field_name in ("quote", "thousands")):
            return value
        if len(value) != 1 or value in "\r\n\0" or "\ud800" <= value <= "\udfff":
            raise ValueError("expected one character")
        if info.field_name in ("decimal", "thousands") and (value.isalnum() or value in "+-"):
            raise ValueError("a letter, a digit or a sign cannot be a decimal mark or thousands separator")
        return value

    @field_validator("names")
    @classmethod
    def usable_names(cls, value: list[str] | None) -> list[str] | None:
        for name in value or []:
            if name.startswith("__") or name != name.strip() or not name:
                raise ValueError(f"{name!r}: a name must not begin with __ or have blanks around it")
            if (value or []).count(name) > 1:
                raise ValueError(f"{name}: is listed twice")
        return value

    @field_validator("sheet")
    @classmethod
    def sheet_exists(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 0:
            raise ValueError("sheets are counted from 0")
        return value

    @field_validator("records")
    @classmethod
    def json_pointer(cls, value: str | None) -> str | None:
        if value and not value.startswith("/"):
            raise ValueError("a JSON pointer must begin with /")
        return value

    @model_validator(mode="after")
    def marks_differ(self) -> ReadOptions:
        if self.thousands and self.thousands == self.decimal:
            raise ValueError("decimal and thousands are the same character")
        if self.format == "csv" and self.quote == self.delimiter:
            raise ValueError("delimiter and quote are the same character")
        return self
