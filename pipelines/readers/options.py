"""The `read` block of a source: how bytes become rows of text."""

from __future__ import annotations

import codecs
import re
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
    "topojson",
    "xml",
    "ics",
    "ofn-events",
    "ofn-notices",
    "schema-org-events",
]

WITH_HEADER = {"csv", "eurostat-tsv", "ods", "parquet", "rdata", "sdmx-csv", "xls", "xlsx"}
"""The formats in which the file names its columns, so that a column without any value is there, too."""
EVENT_FORMATS = {"ics", "ofn-events", "ofn-notices", "schema-org-events"}
VARIABLE_OPTIONS = ("member", "sheet", "records")
"""The options whose text may contain variables of `parts`."""
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


class Unpivot(BaseModel):
    """`read.unpivot`: columns that become rows, such as the years or the age groups of a wide table."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    columns: list[Text] | None = Field(None, min_length=1, description="The columns, by name.")
    pattern: Text | None = Field(
        None,
        description="Or a regular expression that their whole names match. Its named groups, such as `(?P<sex>M|F)`, become columns with the "
        "matched texts.",
    )
    name: Text = Field("column", description="New column with the names of the columns.")
    value: Text = Field("value", description="New column with their cells.")

    @field_validator("pattern")
    @classmethod
    def is_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except (re.error, OverflowError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        except RecursionError:
            raise ValueError("not a regular expression: too many groups inside each other") from None
        return value

    @model_validator(mode="after")
    def by_name_or_by_pattern(self) -> Unpivot:
        if (self.columns is None) == (self.pattern is None):
            raise ValueError("give either columns or pattern")
        if len({*self.new_columns}) < len(self.new_columns) or any(name.startswith("__") for name in self.new_columns):
            raise ValueError(f"the new columns need different names that do not begin with __: {', '.join(self.new_columns)}")
        return self

    @property
    def new_columns(self) -> list[str]:
        """The names of the columns that come in place of the old ones."""
        groups = re.compile(self.pattern).groupindex if self.pattern else {}
        return [self.name, *groups, self.value]

    def groups(self, column: str) -> dict[str, str] | None:
        """Return the texts of the named groups in the name of a column, or None if the column stays."""
        if self.columns is not None:
            return {} if column in self.columns else None
        match = re.fullmatch(self.pattern or "", column)
        return {name: text or "" for name, text in match.groupdict().items()} if match else None


class ReadOptions(BaseModel):
    """`read`: the format of the bytes and its dialect."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Format = Field(description="Format of the bytes.")
    encoding: Text = Field(
        "utf-8",
        description="Encoding of text formats, by its Python name; a byte order mark in the file takes precedence. xml: only where the document "
        "names a wrong one.",
    )
    delimiter: Annotated[Text, BeforeValidator(_tab)] = Field(",", description="csv: the character between fields; `\\t` is a tab.")
    quote: Text = Field('"', description="csv: the character around a field, doubled inside it; '' if fields are never quoted.")
    decimal: Text = Field(".", description="Decimal mark of numbers, unless a column declares another.")
    thousands: Text | None = Field(
        None, description="Thousands separator of numbers, unless a column declares another; a space also stands for a no-break space."
    )
    skip_rows: int = Field(0, ge=0, le=1_000_000_000, description="Lines or sheet rows above the header, including blank ones.")
    header_rows: int = Field(
        1,
        ge=0,
        le=1_000,
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
        description="json: JSON pointer to the list of records; default: the whole document. A step `*` stands for all items of a list, whose "
        "other values belong to each of their records. "
        "jsonstat: the data set of a bundle or a collection, by key or position; xml: path of the records, such as /list/item; `@name` is "
        "an attribute of the record, or else of an element around it, and `../@name` is always that of the element around it; in SDMX "
        "messages, an observation also has the values of its series, groups and data set, as columns such as `@GEO`; "
        "rdata: the data frame, by its name. topojson: the object, such as /districts; default: the only one.",
    )
    keyed_by: Text | None = Field(
        None, description="json: the records are the values of an object, and its keys become the column of this name."
    )
    member: Text | None = Field(
        None, description="The file inside a ZIP archive. Like `sheet` and `records`, it may contain variables of `parts`."
    )
    multiline: bool = Field(
        False, description="csv: quoted fields may hold both line breaks and delimiters; without it they are taken for a stray quote."
    )
    escape: Text | None = Field(None, description="csv: the character that makes a quote or a delimiter behind it part of the text.")
    fill_down: list[Text] = Field(
        default_factory=list, description="Columns in which an empty cell takes the text of the cell above, such as merged cells."
    )
    unpivot: Unpivot | None = Field(None, description="Columns that become rows: one row for each of these columns.")
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

    @field_validator("delimiter", "quote", "escape", "decimal", "thousands")
    @classmethod
    def one_character(cls, value: str | None, info: Any) -> str | None:
        if value is None or (value == "" and info.field_name in ("quote", "thousands", "escape")):
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
        if isinstance(value, int) and not 0 <= value < 10_000:
            raise ValueError("sheets are counted from 0, up to 9999")
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
        if self.escape and self.escape in (self.quote, self.delimiter):
            raise ValueError("escape is the same character as quote or delimiter")
        return self
