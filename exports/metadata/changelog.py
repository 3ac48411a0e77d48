"""CHANGELOG.md of a release: what is different from the release that was current before, for people. The table `changes` has every cell."""

from __future__ import annotations

import json
from collections.abc import Iterator

from exports.changes.published import ALL_KINDS, TABLE
from exports.metadata.text import cell
from exports.model.change_summary import Revised, Summary, TableChanges
from exports.model.info import Context

PATH = "CHANGELOG.md"
MOST = 15
"""So many indicators are listed."""


def descriptor(context: Context) -> dict[str, bytes]:
    lines = ["# Changes", "", f"## {context.version} ({context.info.timestamp[:10]})", ""]
    lines += [f"Shape of the tables (`schema_version`): {context.schema_version}.", ""]
    if context.previous is None:
        lines += _first(context)
    elif context.changes is None or context.changes.unusable:
        lines += _incomparable(context)
    else:
        lines += _against(context.changes)
    return {PATH: ("\n".join(lines) + "\n").encode()}


def _first(context: Context) -> list[str]:
    rows = [f"| `{table.name}` | {context.rows[table.name]} |" for table in context.tables]
    return ["The first release.", "", "| table | rows |", "| --- | ---: |", *rows]


def _incomparable(context: Context) -> list[str]:
    assert context.previous is not None
    why = context.changes.unusable if context.changes else "it was not looked at"
    before = context.previous.rows
    lines = [f"Nothing could be compared with release {context.previous.version}: {why}.", ""]
    lines += ["| table | rows before | rows now |", "| --- | ---: | ---: |"]
    names = dict.fromkeys([*context.rows, *before])
    return lines + [f"| `{name}` | {before.get(name, '')} | {context.rows.get(name, '')} |" for name in names if name != TABLE.name]


def _against(changes: Summary) -> list[str]:
    lines = [f"Against release {changes.version}. The table `{TABLE.name}` has every difference with its old and its new value.", ""]
    for section in (_named(changes), _breaks(changes), _tables(changes), _kinds(changes), _revised(changes)):
        found = list(section)
        lines += [*found, ""] if found else []
    return lines[:-1]


def _named(changes: Summary) -> Iterator[str]:
    """New and withdrawn tables, indicators and sources."""
    for name, table in changes.tables.items():
        if table.before is None:
            yield f"* new table `{name}`"
        elif table.after is None:
            yield f"* table `{name}` is no longer published"
    for found, words in ((changes.new, "new"), (changes.withdrawn, "withdrawn")):
        for table_name, names in found.items():
            if names:
                yield f"* {words} {table_name}: " + ", ".join(f"`{name}`" for name in names)


def _breaks(changes: Summary) -> Iterator[str]:
    for b in changes.breaks:
        note = f": {cell(b['note'])}" if b.get("note") else ""
        yield f"* declared break in `{b['measure']}` of source `{b['source']}`, {b['period']}{note}"


def _tables(changes: Summary) -> Iterator[str]:
    yield "| table | rows before | added | removed | rows now | changed cells |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, t in changes.tables.items():
        before, after = ("" if rows is None else rows for rows in (t.before, t.after))
        yield f"| `{name}` | {before} | {t.added} | {t.removed} | {after} | {sum(t.cells.values())}{'' if t.listed else ' (not listed)'} |"


def _kinds(changes: Summary) -> Iterator[str]:
    """Changed cells by reason, for tables where any changed."""
    changed = {name: t for name, t in changes.tables.items() if t.cells}
    kinds = [kind for kind in ALL_KINDS if any(kind in t.cells for t in changed.values())]
    if changed:
        yield "Changed cells by reason:"
        yield ""
        yield f"| table | {' | '.join(kinds)} |"
        yield "| --- |" + " ---: |" * len(kinds)
        for name, t in changed.items():
            yield f"| `{name}` | {' | '.join(_number(t, kind) for kind in kinds)} |"


def _number(table: TableChanges, kind: str) -> str:
    return str(table.cells.get(kind, 0))


def _revised(changes: Summary) -> Iterator[str]:
    """The indicators of which most values are others than before."""
    if not changes.revised:
        return
    yield f"Indicators with other values than before ({len(changes.revised)}):"
    yield ""
    yield "| indicator | changed | now missing | no longer missing | largest change | where |"
    yield "| --- | ---: | ---: | ---: | ---: | --- |"
    for r in changes.revised[:MOST]:
        yield f"| `{r.indicator}` | {r.changed} | {r.lost} | {r.found} | {_share(r)} | {_where(r)} |"
    if len(changes.revised) > MOST:
        yield f"| and {len(changes.revised) - MOST} more | | | | | |"


def _share(revised: Revised) -> str:
    if revised.largest is None:
        return ""
    percent = 100 * revised.largest
    return f"{percent:.1f} %" if percent >= 0.1 else f"{percent:.1g} %"


def _where(revised: Revised) -> str:
    """The key of the value, without the indicator and without totals."""
    key = json.loads(revised.where) if revised.where else {}
    return cell(", ".join(str(v) for k, v in key.items() if k != "indicator" and v != "_T"))
