"""The rule of one column: its type, and the values that it may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from quality.contracts import cell_types

Type = Literal["string", "integer", "number", "boolean", "date", "datetime"]


@dataclass(frozen=True)
class ColumnRule:
    """The rule of one column.

    `name` is the column's name in the pack, `source` that in the file. `decimal` and `thousands` are the marks of its numbers, and
    `timezone` is that of its local times. The values of a `personal` column are masked wherever they would be shown.
    """

    name: str
    source: str
    type: Type = "string"
    required: bool = False
    min: float | str | None = None
    max: float | str | None = None
    pattern: str | None = None
    values: tuple[str, ...] | None = None
    decimal: str | None = None
    thousands: str | None = None
    timezone: str | None = None
    personal: bool = False

    @property
    def has_checks(self) -> bool:
        """Whether the rule asks for more than a type."""
        return self.required or any(x is not None for x in (self.min, self.max, self.pattern, self.values))


def assert_usable(rules: Sequence[ColumnRule], key: Sequence[str]) -> None:
    """Raise ValueError if two rules are for one column, a key column has no rule, or a rule contradicts itself."""
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name}: two rules for one column")
    for name in key:
        if name not in names:
            raise ValueError(f"key: {name} is not a column")
    for rule in rules:
        message = rule_fault(rule)
        if message:
            raise ValueError(f"{rule.name}: {message}")


def rule_fault(rule: ColumnRule) -> str | None:
    """Return why no value can be checked against `rule`, or None."""
    if rule.pattern is not None:
        try:
            pl.Series([""]).str.contains(anchored(rule.pattern))
        except pl.exceptions.ComputeError:
            return f"pattern: {rule.pattern} is not a regular expression (look-around and back-references are not supported)"
    if rule.thousands and rule.thousands == (rule.decimal or "."):
        return "decimal and thousands are the same character"
    for name in ("min", "max"):
        bound = getattr(rule, name)
        if bound is not None and rule.type in ("string", "boolean"):
            return f"{name}: a column of type {rule.type} has no order"
        if bound is not None and typed_constant(rule, bound) is None:
            return f"{name}: {bound} is not of type {rule.type}"
    for value in rule.values or ():
        if value != "" and typed_constant(rule, value) is None:
            return f"values: {value} is not of type {rule.type}"
    return None


def anchored(pattern: str) -> str:
    """Return the regular expression that matches where `pattern` matches the whole text."""
    return f"^(?:{pattern})$"


def typed_constant(rule: ColumnRule, constant: float | str) -> Any:
    """Return a bound or an allowed value in the type of the column, None if it cannot have that type."""
    if isinstance(constant, int | float):
        return float(constant) if rule.type in ("integer", "number") else None
    if rule.type == "string":
        return constant
    return cell_types.parse(pl.Series([constant]), rule.type, None, None)[0]
