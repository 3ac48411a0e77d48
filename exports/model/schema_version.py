"""The version of the tables' shape (semver): what a program that reads releases may rely on from one to the next.

Compares the tables of two Data Packages; reads no data. The rule:

* major: a program may break. A table or column is gone, comes in another order or type, has another unit or another key.
* minor: a program goes on. A table or a column is new; a value of a code list is new or no longer used; a reference or a bound is another
  one or none.
* patch: people read something else. A description is another one.

Columns count by name: a new one in between moves none. An indicator that is withdrawn takes its column in `latest_values` along.
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
    """Return the version of the shape of `resources` after that of the release in the folder `release`.

    Before the first release, and where the last one says nothing that can be read, it is FIRST. The table `changes` is always there, with
    the same columns, and is not compared.
    """
    last = _package(release) if release else None
    if last is None:
        return FIRST
    steps = [int(number) for number in last[PROPERTY].split(".")]
    before = [resource for resource in last["resources"] if resource["name"] != ALWAYS]
    level = min(_differences(before, resources), default=None)
    if level is None:
        return str(last[PROPERTY])
    return ".".join(map(str, [*steps[:level], steps[level] + 1, *[0] * (PATCH - level)]))


def _package(release: Path) -> dict[str, Any] | None:
    try:
        value = json.loads((release / "datapackage.json").read_bytes())
        return value if isinstance(value["resources"], list) and VERSION.fullmatch(value[PROPERTY]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _differences(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    before, after = ({resource["name"]: resource for resource in resources} for resources in (old, new))
    yield from _names(list(before), list(after), ordered=False)
    for name in (name for name in before if name in after):
        then, now = before[name], after[name]
        if then["path"] != now["path"] or then["schema"]["primaryKey"] != now["schema"]["primaryKey"]:
            yield MAJOR
        if then["schema"].get("foreignKeys") != now["schema"].get("foreignKeys"):
            yield MINOR
        if then["description"] != now["description"]:
            yield PATCH
        yield from _of_fields(*({field["name"]: field for field in side["schema"]["fields"]} for side in (then, now)))


def _of_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[int]:
    yield from _names(list(before), list(after), ordered=True)
    for then, now in ((before[name], after[name]) for name in before if name in after):
        if any(then.get(name) != now.get(name) for name in ("type", "unit", "missingValues")):
            yield MAJOR
        if any(then.get(name) != now.get(name) for name in ("constraints", "categories")):
            yield MINOR
        if then["description"] != now["description"]:
            yield PATCH


def _names(before: list[str], after: list[str], *, ordered: bool) -> Iterator[int]:
    kept = [name for name in after if name in before]
    if len(kept) < len(before) or (ordered and kept != before):
        yield MAJOR
    if len(kept) < len(after):
        yield MINOR
