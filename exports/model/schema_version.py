"""The version of the tables' shape (semantic versioning): which programs can read the next release without a change.

Compares the tables of two Data Packages; reads no data. The rules:

* major: a program may break. A table or column was removed, or the address, the order, the type, the unit or the key changed.
* minor: a program keeps working. A table or column was added, the values of a code list changed, or a reference or a bound changed.
* patch: only people notice. A description changed.

Columns are compared by name, so that a new column between others does not change their order. When an indicator is withdrawn, its column
in `latest_values` is removed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FIRST = "1.0.0"
PROPERTY = "schema_version"
VERSION = re.compile(r"\d+\.\d+\.\d+")
ALWAYS = "changes"
MAJOR, MINOR, PATCH = range(3)


def following(release: Path | None, resources: Sequence[Mapping[str, Any]]) -> str:
    """Return the version of the shape of `resources` that follows the release in the folder `release`.

    It is FIRST without a previous release, and if the previous datapackage.json cannot be read. The table `changes` is in every release
    with the same columns, and is not compared.
    """
    previous = _package(release) if release else None
    if previous is None:
        return FIRST
    numbers = [int(number) for number in previous[PROPERTY].split(".")]
    before = [resource for resource in previous["resources"] if resource["name"] != ALWAYS]
    level = min(_differences(before, resources), default=None)
    if level is None:
        return str(previous[PROPERTY])
    return ".".join(map(str, [*numbers[:level], numbers[level] + 1, *[0] * (PATCH - level)]))


def _package(release: Path) -> dict[str, Any] | None:
    try:
        value = json.loads((release / "datapackage.json").read_bytes())
        return value if isinstance(value["resources"], list) and VERSION.fullmatch(value[PROPERTY]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _differences(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    before, after = ({resource["name"]: resource for resource in resources} for resources in (old, new))
    yield from _name_differences(list(before), list(after), ordered=False)
    for name in (name for name in before if name in after):
        old_table, new_table = before[name], after[name]
        old_schema, new_schema = old_table["schema"], new_table["schema"]
        if _place(old_table) != _place(new_table) or old_schema["primaryKey"] != new_schema["primaryKey"]:
            yield MAJOR
        if old_schema.get("foreignKeys") != new_schema.get("foreignKeys"):
            yield MINOR
        if old_table["description"] != new_table["description"]:
            yield PATCH
        yield from _field_differences(*({field["name"]: field for field in schema["fields"]} for schema in (old_schema, new_schema)))


def _place(resource: Mapping[str, Any]) -> str:
    """Return the file of a table, or the folder of its files: there may be more of them in the next release, or none at all."""
    path = resource.get("path")
    return path if isinstance(path, str) else f"csv/{resource['name']}/"


def _field_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[int]:
    yield from _name_differences(list(before), list(after), ordered=True)
    for old_field, new_field in ((before[name], after[name]) for name in before if name in after):
        if any(old_field.get(name) != new_field.get(name) for name in ("type", "unit", "missingValues")):
            yield MAJOR
        if any(old_field.get(name) != new_field.get(name) for name in ("constraints", "categories")):
            yield MINOR
        if old_field["description"] != new_field["description"]:
            yield PATCH


def _name_differences(before: list[str], after: list[str], *, ordered: bool) -> Iterator[int]:
    kept = [name for name in after if name in before]
    if len(kept) < len(before) or (ordered and kept != before):
        yield MAJOR
    if len(kept) < len(after):
        yield MINOR
