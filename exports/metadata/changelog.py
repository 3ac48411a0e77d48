"""CHANGELOG.md of a release, for people: what differs from the previous release. The table `changes` has every changed cell."""

from __future__ import annotations

import json
from collections.abc import Iterator

from exports.changes.published import ALL_KINDS, TABLE
from exports.metadata import markdown
from exports.metadata.text import prose
from exports.model.change_summary import Summary
from exports.model.info import Context
from pipelines.core.printable import listed

PATH = "CHANGELOG.md"
MOST_NAMED = 100
"""The most new or withdrawn rows of a table that are named."""
MOST_REVISIONS = 15
"""The most indicators that are listed."""


def descriptor(context: Context) -> dict[str, bytes]:
    changes, previous = context.changes, context.previous
    kinds = {kind for table in changes.tables.values() for kind in table.cells} if changes else set()
    before = previous.rows if previous else {}
    content = markdown.render(
        "CHANGELOG.md.j2",
        filters={"count": _count, "percent": _percent, "place": _place},
        version=context.version,
        date=context.info.timestamp[:10],
        schema_version=context.schema_version,
        previous=previous,
        changes=changes,
        tables=context.tables,
        rows=context.rows,
        rows_by_table=[(name, before.get(name), context.rows.get(name)) for name in {**context.rows, **before} if name != TABLE.name],
        changes_table=TABLE.name,
        new_and_withdrawn=list(_new_and_withdrawn(changes)) if changes else [],
        kinds=[kind for kind in ALL_KINDS if kind in kinds],
        most_revisions=MOST_REVISIONS,
        to_withdraw=context.quality_report.get("gate", {}).get("suppression", {}).get("releases_to_withdraw", []),
    )
    return {PATH: content}


def _new_and_withdrawn(changes: Summary) -> Iterator[str]:
    """Yield what is new or withdrawn: tables, indicators and sources."""
    for name, table in changes.tables.items():
        if table.before is None:
            yield f"new table `{name}`"
        elif table.after is None:
            yield f"the table `{name}` is no longer published"
    for kind, names_by_table in (("new", changes.new), ("withdrawn", changes.withdrawn)):
        for table_name, names in names_by_table.items():
            if names:
                yield f"{kind} {table_name}: {listed([f'`{name}`' for name in names], MOST_NAMED)}"


def _count(rows: int | None) -> str:
    return "" if rows is None else str(rows)


def _percent(share: float | None) -> str:
    if share is None:
        return ""
    percent = 100 * share
    return f"{percent:.1f} %" if percent >= 0.1 else f"{percent:.1g} %"


def _place(key: str) -> str:
    """Return the key of a value without the indicator and without totals."""
    parts = json.loads(key) if key else {}
    return prose(", ".join(str(value) for name, value in parts.items() if name != "indicator" and value != "_T"))
