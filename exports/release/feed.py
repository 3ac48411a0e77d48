"""feed.atom: the events of the ledger for feed readers (RFC 4287), newest first. A pure function of the ledger.

Every event is an entry of its own, so that a reader who sees only new entries also learns about a withdrawal. The entry of a withdrawn
release says so as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from exports.model import layout
from exports.release.entries import PUBLISHED, ROLLBACK, WITHDRAWN, ChangeCounts, Entry, LedgerEvent, PackInfo, TableCounts
from pipelines.core.iri import escape_iri
from pipelines.core.printable import TURNING

if TYPE_CHECKING:
    from exports.release.ledger import Ledger

FEED = "feed.atom"
MOST_ENTRIES = 50
NAMESPACE = "http://www.w3.org/2005/Atom"
_FILES = (  # of a release: path, relation, media type, title
    ("catalog.ttl", "describedby", "text/turtle", "DCAT-AP catalogue"),
    ("datapackage.json", "describedby", "application/json", "Data Package"),
    ("CHANGELOG.md", "related", "text/markdown", "Changes"),
)
_TITLE_WORDS = {  # by language: withdrawn, current again
    "en": ("withdrawn", "current again"),
    "cs": ("staženo", "opět aktuální"),
    "sk": ("stiahnuté", "opäť aktuálne"),
}
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TURNING = re.compile(f"[{TURNING}]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_FORMULA_START = ("=", "+", "-", "@")


def render(ledger: Ledger, data_set: str = "", titles: Mapping[str, str] | None = None) -> bytes | None:
    """Return the feed of all releases, or of those in which `data_set`, with its `titles` by language, changed.

    None if nothing has been published yet, or if an earlier version wrote a ledger that does not name the pack.
    """
    pack = ledger.pack
    events = list(enumerate(ledger.events, start=1))
    if data_set:
        events = [(number, event) for number, event in events if _concerns(ledger, event, data_set)]
    if pack is None or not events:
        return None
    subject = _Subject(pack, data_set, {**pack.title, **titles} if titles else pack.title)
    entries = [_entry(subject, ledger, number, event) for number, event in reversed(events[-MOST_ENTRIES:])]
    feed = ET.Element("feed", {"xmlns": NAMESPACE, "xml:lang": "en"})
    _add(feed, "id", escape_iri(subject.id))
    _add(feed, "title", _text(subject.title), subject.language)
    _add(feed, "updated", max(entry.findtext("updated", "") for entry in entries))
    author = ET.SubElement(feed, "author")
    _add(author, "name", _text(pack.publisher.get("name") or _title(pack, pack.title)))
    if _is_web(pack.publisher.get("iri", "")):
        _add(author, "uri", escape_iri(pack.publisher["iri"]))
    _link(feed, "self", "application/atom+xml", subject.address(f"{subject.folder}{FEED}"))
    if data_set:
        _link(feed, "alternate", "text/html", subject.address(f"{subject.folder}{layout.INDEX}"))
    else:
        _link(feed, "alternate", "application/json", subject.address("releases.json"))
    feed.extend(entries)
    ET.indent(feed)
    document: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


@dataclass(frozen=True)
class _Subject:
    """What a feed is about: the pack, or one of its data sets."""

    pack: PackInfo
    data_set: str
    titles: Mapping[str, str]

    @property
    def folder(self) -> str:
        """The folder of the feed below `public`."""
        return layout.landing_folder(self.data_set) if self.data_set else ""

    @property
    def id(self) -> str:
        """The identifier of the feed, which never changes."""
        if not self.data_set:
            return self.pack.feed
        root, name, rest = self.pack.feed.rpartition(FEED)
        return f"{root}{self.folder}{FEED}" if name and not rest else f"{self.pack.feed}#{self.folder.rstrip('/')}"

    @property
    def title(self) -> str:
        return _title(self.pack, self.titles)

    @property
    def language(self) -> dict[str, str]:
        return _language(self.pack, self.titles)

    def entry_id(self, event_id: str) -> str:
        return f"{escape_iri(self.id)}{'/' if '#' in self.id else '#'}{escape_iri(event_id)}"

    def address(self, path: str) -> str:
        """Return the address of a path below `public`: absolute if the pack has a web address, otherwise relative to the feed."""
        return address(self.pack, path) if _is_web(self.pack.base_uri) else escape_iri("../" * self.folder.count("/") + path)


def _concerns(ledger: Ledger, event: LedgerEvent, data_set: str) -> bool:
    """Whether an event changed the current content of a data set, or concerns a release that did when it was published."""

    def content(version: str) -> str | None:
        release = ledger.find(version)
        return release.data_sets.get(data_set) if release else None

    if content(event.version) is None and content(event.before) is None:
        return False
    if content(event.before) != content(event.current):
        return True
    published = next((e for e in ledger.events if e.kind == PUBLISHED and e.version == event.version), None)
    return event.kind == WITHDRAWN and published is not None and content(published.before) != content(published.version)


def address(pack: PackInfo, path: str) -> str:
    """Return the address of a path below `public`: absolute if the pack has a web address, otherwise relative to the feed."""
    return escape_iri(f"{pack.base_uri.rstrip('/')}/{path}" if _is_web(pack.base_uri) else path)


def _entry(subject: _Subject, ledger: Ledger, number: int, event: LedgerEvent) -> ET.Element:
    release = ledger.find(event.version)
    title, summary, updated = _describe(subject, ledger, event, release)
    files_exist = release is not None and not release.is_pruned
    entry = ET.Element("entry")
    _add(entry, "id", subject.entry_id(event.event_id(number)))
    _add(entry, "title", _text(title), subject.language)
    _add(entry, "published", _time(event.at))
    _add(entry, "updated", updated)
    ET.SubElement(entry, "category", {"term": _text(event.kind)})
    _add(entry, "summary", _text(summary if files_exist else f"{summary} Its files were removed."))
    if release is None or not files_exist:  # RFC 4287 requires an alternate link; the ledger still lists releases without files
        _link(entry, "alternate", "application/json", subject.address("releases.json"))
        return entry
    _link(entry, "alternate", "text/html", subject.address(release.path + release.page))
    for path, relation, media_type, name in _FILES:
        _link(entry, relation, media_type, subject.address(release.path + path), name)
    return entry


def _describe(subject: _Subject, ledger: Ledger, event: LedgerEvent, release: Entry | None) -> tuple[str, str, str]:
    """Return title, summary and time of the last update."""
    pack = subject.pack
    title, updated = f"{subject.title} {event.version}", _time(event.at)
    withdrawn, current_again = _TITLE_WORDS.get(pack.languages[0] if pack.languages else "", _TITLE_WORDS["en"])
    if event.kind == WITHDRAWN:
        return f"{title}: {withdrawn}", _withdrawal(event), updated
    if event.kind == ROLLBACK:
        summary = f"Release {event.version} is current again and replaces release {event.before}. Reason: {event.reason}"
        return f"{title}: {current_again}", summary, updated
    if release is None:
        return title, "", updated
    if release.is_withdrawn:
        summary = f"Withdrawn{release.when_and_why(WITHDRAWN)}. {_publication(ledger, release)}"
        return f"{title} ({withdrawn})", summary, max(updated, _time(release.annotation(WITHDRAWN, "at"), updated))
    return title, _publication(ledger, release), updated


def _withdrawal(event: LedgerEvent) -> str:
    was_current = event.before == event.version
    consequence = f"Release {event.current} has been current since then" if was_current else "It was not the current release"
    return f"Release {event.version} was withdrawn. Reason: {event.reason}. {consequence}."


def _publication(ledger: Ledger, release: Entry) -> str:
    """Return what a release changed, in one paragraph."""
    rows = f"{sum(release.rows.values())} rows in {len(release.rows)} tables."
    return f"{_new_shape(ledger, release)}{_changes(release.changes)}{rows}" if release.changes else rows


def _new_shape(ledger: Ledger, release: Entry) -> str:
    """Return the announcement of a release whose addresses or columns are not those of the one before; empty for any other release."""
    before = ledger.find(release.changes.against if release.changes else None)
    if before is None or not release.schema_version:
        return ""
    if not before.schema_version:
        return (
            f"The files have other addresses than in release {before.version} (schema_version {release.schema_version}): the table of old and new "
            "addresses is in docs/publication.md of the software. "
        )
    if release.schema_version.partition(".")[0] == before.schema_version.partition(".")[0]:
        return ""
    return (
        f"Tables, columns or addresses differ from release {before.version} (schema_version {before.schema_version}, now "
        f"{release.schema_version}), so programs may need a change. "
    )


def _changes(changes: ChangeCounts) -> str:
    if changes.against is None:
        return "The first release: "
    if not changes.comparable:
        return f"This release could not be compared with release {changes.against}: "
    tables = [_table(name, counts) for name, counts in changes.tables.items()]
    return f"Compared with release {changes.against}: {'; '.join(tables) or 'no row and no cell differs'}. "


def _table(name: str, counts: TableCounts) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.changed_cells.items())
    cells = f", {sum(counts.changed_cells.values())} cells changed ({kinds})" if kinds else ""
    return f"{name}: {counts.added} rows added, {counts.removed} withdrawn{cells}"


def _title(pack: PackInfo, titles: Mapping[str, str]) -> str:
    title = next((titles[lang] for lang in pack.languages if lang in titles), next(iter(titles.values()), ""))
    return title if title.strip() else pack.pack


def _language(pack: PackInfo, titles: Mapping[str, str]) -> dict[str, str]:
    """Return the language attribute of a title, which is in the pack's first available language. The rest of the feed is English."""
    language = next((lang for lang in pack.languages if lang in titles), "")
    return {"xml:lang": language} if _LANGUAGE.fullmatch(language) else {}


def _add(parent: ET.Element, tag: str, text: str, attributes: dict[str, str] | None = None) -> None:
    ET.SubElement(parent, tag, attributes or {}).text = text


def _link(parent: ET.Element, relation: str, media_type: str, target: str, title: str = "") -> None:
    ET.SubElement(parent, "link", {"rel": relation, "type": media_type, **({"title": title} if title else {}), "href": target})


def _text(value: str) -> str:
    """Return a text from a pack or an operator on one line, safe in XML and in a spreadsheet that loads the feed."""
    clean = " ".join(_NOT_XML.sub("\ufffd", _TURNING.sub("", value)).split())
    return f"'{clean}" if clean.startswith(_FORMULA_START) else clean


def _is_web(value: str) -> bool:
    return value.startswith(("https://", "http://"))


def _time(value: str, default: str = "1970-01-01T00:00:00Z") -> str:
    return value if _TIME.fullmatch(value) else default
