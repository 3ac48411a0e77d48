"""CHANGELOG.md of a release, for people: what differs from the previous release. The table `changes` has every changed cell.

As with the README, CHANGELOG.md is in English, and CHANGELOG.<language>.md is beside it for each other language of the pack that has a template.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial

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
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "new table": "new table {}",
        "no table": "the table {} is no longer published",
        "new indicators": "new indicators: {}",
        "new sources": "new sources: {}",
        "withdrawn indicators": "withdrawn indicators: {}",
        "withdrawn sources": "withdrawn sources: {}",
        "more": " and {} more",
        "not compared": "no comparison was made",
        "point": ".",
        **{kind: kind for kind in ALL_KINDS},
    },
    "cs": {
        "new table": "nová tabulka {}",
        "no table": "tabulka {} se už nezveřejňuje",
        "new indicators": "nové ukazatele: {}",
        "new sources": "nové zdroje: {}",
        "withdrawn indicators": "stažené ukazatele: {}",
        "withdrawn sources": "stažené zdroje: {}",
        "more": " a další ({})",
        "not compared": "porovnání se neuskutečnilo",
        "point": ",",
        "source revised": "revize zdroje (`source revised`)",
        "corrected": "oprava (`corrected`)",
        "method": "metoda (`method`)",
        "boundary": "hranice (`boundary`)",
        "new": "nové (`new`)",
        "withdrawn": "stažené (`withdrawn`)",
    },
}
"""What is not in the templates, by language. The reasons of changes are values in the table `changes`, so each language has them, too."""
DAMAGED = {"cs": "některý z jeho souborů je poškozený nebo chybí; který, uvádí [CHANGELOG.md](CHANGELOG.md)"}
"""Why releases cannot be compared, in languages other than English, which has the reason itself."""


def descriptor(context: Context) -> dict[str, bytes]:
    return markdown.in_languages(PATH, context.info.languages, partial(_document, context))


def _document(context: Context, language: str, others: Mapping[str, str]) -> bytes:
    changes, previous, words = context.changes, context.previous, WORDS[language]
    kinds = {kind for table in changes.tables.values() for kind in table.cells} if changes else set()
    before = previous.rows if previous else {}
    return markdown.render(
        f"CHANGELOG.{language}.md.j2",
        filters={
            "count": _count,
            "percent": partial(_percent, point=words["point"]),
            "place": _place,
            "note": partial(_note, language=language),
        },
        others=others,
        version=context.version,
        date=context.info.timestamp[:10],
        schema_version=context.schema_version,
        previous=previous,
        changes=changes,
        why_not_comparable=DAMAGED.get(language, changes.not_comparable) if changes else words["not compared"],
        tables=context.tables,
        rows=context.rows,
        rows_by_table=[(name, before.get(name), context.rows.get(name)) for name in {**context.rows, **before} if name != TABLE.name],
        changes_table=TABLE.name,
        new_and_withdrawn=list(_new_and_withdrawn(changes, words)) if changes else [],
        kinds={kind: words[kind] for kind in ALL_KINDS if kind in kinds},
        most_revisions=MOST_REVISIONS,
        to_withdraw=context.quality_report.get("gate", {}).get("suppression", {}).get("releases_to_withdraw", []),
    )


def _new_and_withdrawn(changes: Summary, words: Mapping[str, str]) -> Iterator[str]:
    """Yield what is new or withdrawn: tables, indicators and sources."""
    for name, table in changes.tables.items():
        if table.before is None:
            yield words["new table"].format(f"`{name}`")
        elif table.after is None:
            yield words["no table"].format(f"`{name}`")
    for kind, names_by_table in (("new", changes.new), ("withdrawn", changes.withdrawn)):
        for table_name, names in names_by_table.items():
            if names:
                yield words[f"{kind} {table_name}"].format(listed([f"`{name}`" for name in names], MOST_NAMED, words["more"]))


def _count(rows: int | None) -> str:
    return "" if rows is None else str(rows)


def _percent(share: float | None, point: str) -> str:
    if share is None:
        return ""
    percent = 100 * share
    text = f"{percent:.1f}" if percent >= 0.1 else f"{percent:.1g}"
    return f"{text.replace('.', point)} %"


def _place(key: str) -> str:
    """Return the key of a value without the indicator and without totals."""
    parts = json.loads(key) if key else {}
    return prose(", ".join(str(value) for name, value in parts.items() if name != "indicator" and value != "_T"))


def _note(series_break: Mapping[str, str], language: str) -> str:
    """Return the note of a break in a language, or in the first one of its pack."""
    return prose(series_break.get(f"note_{language}") or series_break.get("note") or "")
