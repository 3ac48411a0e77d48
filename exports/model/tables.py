"""Published tables, their columns and their keys, as the caller describes them. Holds no data and reads no files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TYPES = ("VARCHAR", "DOUBLE", "BIGINT")
TRANSIENT: Mapping[str, tuple[str, ...]] = {"sources": ("stale_since",)}
"""By table, the columns that describe the last attempt to get data, not the data: a difference in them alone makes no new version."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Column:
    """A column of a published table. `unit` is the unit of its numbers, if they have one.

    `description` is in English, and `translations` has it in other languages. `unit_translations` has the unit. `titles` are heads for people
    by language; a column without any is called by its name.
    `minimum`, `maximum` and `values` are what cells are checked against before publication; the descriptors state them.
    """

    name: str
    type: str
    description: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    translations: Mapping[str, str] = field(default_factory=dict, hash=False)
    unit_translations: Mapping[str, str] = field(default_factory=dict, hash=False)
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def descriptions(self) -> dict[str, str]:
        """The description by language, English first."""
        return {"en": self.description, **self.translations}

    @property
    def units(self) -> dict[str, str]:
        """The unit by language, English first; empty without a unit."""
        return {"en": self.unit, **self.unit_translations} if self.unit else {}

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise ValueError(f"column {self.name}: type {self.type} cannot be published; use one of {', '.join(TYPES)}")
        if not self.name or any(ord(sign) < 32 for sign in self.name):
            raise ValueError(f"column name {self.name!r} cannot be used in a header")
        if not self.description or not self.description.strip():
            raise ValueError(f"column {self.name} has no description; every published column needs one")


@dataclass(frozen=True)
class Table:
    """A published table, sorted by `key`. `view_of` names another table that has all of its information.

    `description` is in English, and `translations` has it in other languages.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    view_of: str | None = None
    translations: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def descriptions(self) -> dict[str, str]:
        """The description by language, English first."""
        return {"en": self.description, **self.translations}

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"table name {self.name!r} cannot be a file name; use letters, digits and _")
        if not self.description or not self.description.strip():
            raise ValueError(f"table {self.name} has no description; every published table needs one")
        names = [column.name for column in self.columns]
        duplicates = sorted({name for name in names if [n.lower() for n in names].count(name.lower()) > 1})
        if duplicates:  # DuckDB does not distinguish A and a
            raise ValueError(f"table {self.name} has several columns with the same name: {', '.join(duplicates)}")
        unknown = [name for name in self.key if name not in names]
        if unknown or not self.key:
            raise ValueError(f"table {self.name}: the key ({', '.join(self.key)}) must consist of columns of the table")

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class View:
    """A view in the DuckDB file: the rows of the table `of` that match `where`, with an expression for each column."""

    name: str
    description: str
    of: str
    columns: Mapping[Column, str]
    where: str
