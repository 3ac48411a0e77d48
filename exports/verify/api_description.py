"""Compare openapi.json with the files for programs: every file has one path, every path has a file, and every file has the shape of its schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple

from exports.api import openapi

TYPES: Mapping[str, type] = {
    "array": list, "boolean": bool, "integer": int, "null": NoneType, "number": float, "object": dict, "string": str,
}  # fmt: skip
REFERENCE = "#/components/schemas/"


class Shape(NamedTuple):
    """What a schema asks for. All values are allowed by an empty `reference`, `choices`, `types`, `allowed` and `items`.

    `members` are those of an object, and `others` is the shape of all its other members; with members alone there must be no others.
    """

    reference: str
    choices: list[Shape]
    types: set[type]
    allowed: list[Any]
    members: dict[str, Shape]
    others: Shape | None
    required: list[str]
    items: Shape | None

    @property
    def is_plain(self) -> bool:
        """Whether the types say everything."""
        return not (self.reference or self.choices or self.allowed or not self.types or self.types & {list, dict})


def shape(schema: Mapping[str, Any]) -> Shape:
    """Return the shape of a schema. Patterns, formats and bounds of numbers are left out."""
    names = schema.get("type", [])
    types = {TYPES[name] for name in ([names] if isinstance(names, str) else names)}
    return Shape(
        reference=schema.get("$ref", "").removeprefix(REFERENCE),
        choices=[shape(choice) for choice in schema.get("anyOf", [])],
        types=types | {int} if float in types else types,
        allowed=schema.get("enum", []),
        members={name: shape(member) for name, member in schema.get("properties", {}).items()},
        others=shape(schema["additionalProperties"]) if "additionalProperties" in schema else None,
        required=schema.get("required", []),
        items=shape(schema["items"]) if "items" in schema else None,
    )


class ApiDescription:
    """The paths and shapes of an OpenAPI document. Raises KeyError for a reference to nothing, and Python's errors for another form."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._shapes = {name: shape(schema) for name, schema in document["components"]["schemas"].items()}
        self._paths: dict[str, tuple[re.Pattern[str], Shape]] = {}
        for template, item in document["paths"].items():
            schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            self._paths[template] = (openapi.pattern(template), shape(schema))
        for reference in _references(document):
            if reference.removeprefix(REFERENCE) not in self._shapes:
                raise KeyError(reference)

    def faults(self, names: Collection[str]) -> Iterator[str]:
        """Yield the paths without a file, and the files without exactly one path.

        `names` are the paths of the files below `api/v1`, with `/` at their beginning. A kind of file that a release need not have may be
        described without a file, as earlier versions of the software did.
        """
        for template, (pattern, _) in self._paths.items():
            if template not in openapi.OPTIONAL and not any(map(pattern.fullmatch, names)):
                yield f"describes {template}, but there is no such file"
        for name in names:
            if (paths := len(self._shapes_of(name))) != 1:
                yield f"has {paths} paths for the file {name}, expected one"

    def file_faults(self, name: str, content: Any) -> Iterator[str]:
        """Yield the first place where a file differs from its shape."""
        for expected in self._shapes_of(name):
            if fault := self._fault(expected, content):
                yield f"differs from its description: {fault.lstrip()}"

    def _shapes_of(self, name: str) -> list[Shape]:
        return [expected for pattern, expected in self._paths.values() if pattern.fullmatch(name)]

    def _fault(self, expected: Shape, value: Any) -> str:
        """Return where and how a value differs, or nothing."""
        if expected.reference:
            return self._fault(self._shapes[expected.reference], value)
        if expected.choices:
            faults = [self._fault(choice, value) for choice in expected.choices]
            return "" if "" in faults else faults[0]
        if expected.types and type(value) not in expected.types:
            return f" is {value!r:.40}, expected {' or '.join(sorted(kind.__name__ for kind in expected.types))}"
        if expected.allowed and value not in expected.allowed:
            return f" is {value!r:.40}, expected one of {expected.allowed}"
        if isinstance(value, list) and expected.items:
            return self._item_fault(expected.items, value)
        return self._member_fault(expected, value) if isinstance(value, dict) else ""

    def _item_fault(self, expected: Shape, values: list[Any]) -> str:
        """Return the first difference among the items of a list. The many cells of a column or a matrix are looked at together."""
        kinds = set(map(type, values))
        if expected.is_plain and kinds <= expected.types:
            return ""
        cell = expected.items
        if cell and cell.is_plain and expected.types == kinds == {list} and set(map(type, chain.from_iterable(values))) <= cell.types:
            return ""
        return next((f"[{place}]{fault}" for place, value in enumerate(values) if (fault := self._fault(expected, value))), "")

    def _member_fault(self, expected: Shape, values: dict[str, Any]) -> str:
        if missing := [name for name in expected.required if name not in values]:
            return f" lacks {missing[0]}"
        for name, value in values.items():
            member = expected.members.get(name, expected.others)
            if member is None and expected.members:
                return f" has the unknown member {name}"
            if member and (fault := self._fault(member, value)):
                return f".{name}{fault}"
        return ""


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _references(member)
