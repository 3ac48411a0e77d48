"""feed.atom: what happened to the releases, newest first, for feed readers (RFC 4287). A pure function of the ledger; knows no file.

Every happening of the journal is an entry of its own, so that who reads only what is new hears of a withdrawal too; the entry of a release
that was withdrawn says so as well. Texts come from packs and operators: whatever they hold stays inside its element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exports.release.entries import About, Entry, Happening, Ledger

MOST = 50
"""So many happenings are told, the newest ones."""
NAMESPACE = "http://www.w3.org/2005/Atom"
_FILES = (  # of a release: path, relation, media type, title
    ("catalog.ttl", "describedby", "text/turtle", "DCAT-AP catalogue"),
    ("datapackage.json", "describedby", "application/json", "Data Package"),
    ("CHANGELOG.md", "related", "text/markdown", "Changes"),
)
_WORDS = {  # in titles, by language: withdrawn, current again
    "en": ("withdrawn", "current again"),
    "cs": ("staženo", "opět aktuální"),
    "sk": ("stiahnuté", "opäť aktuálne"),
}
_WITHDRAWN, _ROLLBACK = "withdrawn", "rollback"
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_IRI = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f-\x9f\ud800-\udfff\ufffe\uffff]|%(?![0-9A-Fa-f]{2})')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_FORMULA = ("=", "+", "-", "@")


def render(ledger: Ledger) -> bytes | None:
    """Return the feed; None where nothing was published yet, or the ledger does not say by whom: an earlier version wrote it."""
    about = ledger.about
    if about is None or not ledger.journal:
        return None
    told = list(enumerate(ledger.journal, start=1))[-MOST:]
    entries = [_entry(about, ledger, number, happening) for number, happening in reversed(told)]
    base = address(about, "")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="{NAMESPACE}" xml:lang="en">',
        f"  <id>{_iri(about.feed)}</id>",
        f"  <title{_lang(about)}>{_text(_title(about))}</title>",
        f"  <updated>{max(updated for updated, _ in entries)}</updated>",
        *_author(about),
        f'  <link rel="self" type="application/atom+xml" href="{_iri(base)}feed.atom"/>',
        f'  <link rel="alternate" type="application/json" href="{_iri(base)}releases.json"/>',
        *(line for _, entry in entries for line in entry),
        "</feed>",
    ]
    return ("\n".join(lines) + "\n").encode()


def address(about: About, path: str) -> str:
    """Return the address of a path below `public`: absolute where the pack has a web address, else relative to where the feed lies."""
    is_web = about.base_uri.startswith(("https://", "http://"))
    return f"{about.base_uri.rstrip('/')}/{path}" if is_web else path


def _entry(about: About, ledger: Ledger, number: int, happening: Happening) -> tuple[str, list[str]]:
    """Return when the entry was updated, and its lines."""
    entry = ledger.find(happening.version)
    updated, title, words = _stamp(happening.at), f"{_title(about)} {happening.version}", ""
    withdrawn, again = _WORDS.get(about.languages[0] if about.languages else "", _WORDS["en"])
    if happening.kind == _WITHDRAWN:
        title, words = f"{title}: {withdrawn}", _was_withdrawn(happening)
    elif happening.kind == _ROLLBACK:
        title = f"{title}: {again}"
        words = f"Release {happening.version} is the current one again, in place of {happening.before}. Reason: {happening.reason}"
    elif entry is not None:
        words = _changed(entry)
        if entry.is_withdrawn:
            title = f"{title} ({withdrawn})"
            words = f"Withdrawn{entry.told(_WITHDRAWN)}. {words}"
            updated = max(updated, _stamp(entry.note(_WITHDRAWN, "at"), updated))
    gone = entry is None or entry.is_pruned
    lines = [
        "  <entry>",
        f"    <id>{_iri(about.feed)}#{_iri(happening.name(number))}</id>",
        f"    <title{_lang(about)}>{_text(title)}</title>",
        f"    <published>{_stamp(happening.at)}</published>",
        f"    <updated>{updated}</updated>",
        f'    <category term="{_text(happening.kind)}"/>',
        f"    <summary>{_text(words + (' Its files were removed.' if gone else ''))}</summary>",
        *_links(about, None if gone else entry),
        "  </entry>",
    ]
    return updated, lines


def _was_withdrawn(happening: Happening) -> str:
    instead = "It was not the current release"
    if happening.before == happening.version:
        instead = f"Release {happening.current} is the current one since"
    return f"Release {happening.version} was withdrawn. Reason: {happening.reason}. {instead}."


def _changed(entry: Entry) -> str:
    """Return what a release has changed, in one paragraph."""
    changes, rows = entry.changes, f"{sum(entry.rows.values())} rows in {len(entry.rows)} tables."
    if changes is None:
        return rows
    if changes.get("against") is None:
        return f"The first release: {rows}"
    if not changes.get("comparable", True):
        return f"It could not be compared with release {changes['against']}: {rows}"
    parts = [_of_table(name, table) for name, table in changes.get("tables", {}).items()]
    return f"Against release {changes['against']}: {'; '.join(parts) or 'no row and no cell is another'}. {rows}"


def _of_table(name: str, table: Mapping[str, Any]) -> str:
    cells = table["changed_cells"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in cells.items())
    changed = f", {sum(cells.values())} cells changed ({kinds})" if cells else ""
    return f"{name}: {table['added']} rows new, {table['removed']} withdrawn{changed}"


def _links(about: About, entry: Entry | None) -> Iterator[str]:
    if entry is None:  # RFC 4287 wants an alternate; the ledger knows releases whose files are gone
        yield f'    <link rel="alternate" type="application/json" href="{_iri(address(about, "releases.json"))}"/>'
        return
    place = _iri(address(about, entry.path))
    yield f'    <link rel="alternate" type="text/html" href="{place}"/>'
    for path, relation, media_type, title in _FILES:
        yield f'    <link rel="{relation}" type="{media_type}" title="{title}" href="{place}{path}"/>'


def _author(about: About) -> Iterator[str]:
    yield "  <author>"
    yield f"    <name>{_text(about.publisher.get('name') or _title(about))}</name>"
    if about.publisher.get("iri", "").startswith(("https://", "http://")):
        yield f"    <uri>{_iri(about.publisher['iri'])}</uri>"
    yield "  </author>"


def _title(about: About) -> str:
    first = next((about.title[lang] for lang in about.languages if lang in about.title), next(iter(about.title.values()), ""))
    return first if first.strip() else about.pack


def _lang(about: About) -> str:
    """Return the attribute of a title, which is in the pack's first language that it has; the rest of the feed is English."""
    language = next((lang for lang in about.languages if lang in about.title), "")
    return f' xml:lang="{language}"' if _LANGUAGE.fullmatch(language) else ""


def _text(value: str) -> str:
    """Return a text on one line that is nothing but text: for XML, and for a spreadsheet into which somebody loads the feed."""
    clean = " ".join(_NO_XML.sub("\ufffd", value).split())
    return escape(f"'{clean}" if clean.startswith(_FORMULA) else clean)


def iri(value: str) -> str:
    """Return an address with what no address has as percent-encoded bytes."""
    return _NO_IRI.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode("utf-8", "replace")), value)


def _iri(value: str) -> str:
    return escape(iri(value))


def _stamp(value: str, otherwise: str = "1970-01-01T00:00:00Z") -> str:
    return value if _TIME.fullmatch(value) else otherwise
