"""feed.atom is valid (RFC 4287), has every event once, and escapes hostile texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree
from release_sample import Home, later

from exports.release import feed, lifecycle, public_folder
from exports.release.entries import ChangeCounts, Entry, LatestChange, PackInfo
from exports.release.ledger import Ledger, events_of, read_ledger

ATOM = f"{{{feed.NAMESPACE}}}"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PACK = PackInfo(
    "demo", {"cs": "Ukázkové ukazatele", "en": "Demo"}, ["cs", "en"], "https://data.example.org/zpo2/",
    {"name": "Úřad", "iri": "https://office.example.org/"}, "https://data.example.org/zpo2/feed.atom",
)  # fmt: skip
HOSTILE = '=cmd|" /C calc"!A1 </summary><script>alert(1)</script> ]]> &amp; \x00\x1b\ud800\ufffe \u202e'
RFC_3339 = re.compile(r"\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
# the rules of RFC 4287 for such a feed: elements in any order, each as often as the standard allows
GRAMMAR = """
<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="http://www.w3.org/2005/Atom"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start><element name="feed"><ref name="common"/><interleave>
    <oneOrMore><ref name="author"/></oneOrMore>
    <zeroOrMore><ref name="category"/></zeroOrMore>
    <ref name="id"/><ref name="title"/><ref name="updated"/>
    <optional><element name="generator"><ref name="common"/><text/></element></optional>
    <optional><element name="subtitle"><ref name="text"/></element></optional>
    <zeroOrMore><ref name="link"/></zeroOrMore>
    <zeroOrMore><ref name="entry"/></zeroOrMore>
  </interleave></element></start>
  <define name="entry"><element name="entry"><ref name="common"/><interleave>
    <zeroOrMore><ref name="author"/></zeroOrMore>
    <zeroOrMore><ref name="category"/></zeroOrMore>
    <ref name="id"/><ref name="title"/><ref name="updated"/>
    <oneOrMore><ref name="link"/></oneOrMore>
    <optional><element name="published"><ref name="common"/><data type="dateTime"/></element></optional>
    <optional><element name="summary"><ref name="text"/></element></optional>
  </interleave></element></define>
  <define name="id"><element name="id"><ref name="common"/><data type="anyURI"><param name="pattern">[a-z]+:\\S+</param></data></element></define>
  <define name="title"><element name="title"><ref name="text"/></element></define>
  <define name="updated"><element name="updated"><ref name="common"/><data type="dateTime"/></element></define>
  <define name="author"><element name="author"><ref name="common"/><interleave>
    <element name="name"><data type="string"><param name="minLength">1</param></data></element>
    <optional><element name="uri"><data type="anyURI"/></element></optional>
    <optional><element name="email"><text/></element></optional>
  </interleave></element></define>
  <define name="category"><element name="category"><ref name="common"/>
    <attribute name="term" ns=""/><optional><attribute name="label" ns=""/></optional>
    <optional><attribute name="scheme" ns=""><data type="anyURI"/></attribute></optional>
  </element></define>
  <define name="link"><element name="link"><ref name="common"/>
    <attribute name="href" ns=""><data type="anyURI"/></attribute>
    <optional><attribute name="rel" ns=""/></optional>
    <optional><attribute name="type" ns=""><data type="string"><param name="pattern">.+/.+</param></data></attribute></optional>
    <optional><attribute name="title" ns=""/></optional>
  </element></define>
  <define name="text"><ref name="common"/><optional><attribute name="type" ns=""><value>text</value></attribute></optional><text/></define>
  <define name="common"><optional><attribute name="lang" ns="http://www.w3.org/XML/1998/namespace"><data type="language"/></attribute></optional></define>
</grammar>
"""  # noqa: E501 - an element a line


def faults(content: bytes) -> list[str]:
    """Return the faults of a feed: by its grammar, and by rules that no grammar can express."""
    root = etree.fromstring(content)
    schema = etree.RelaxNG(etree.fromstring(GRAMMAR))
    messages = [] if schema.validate(root) else [str(error.message) for error in schema.error_log]
    ids = [e.text for e in root.iter(f"{ATOM}id")]
    messages += [f"{name} occurs twice" for name in set(ids) if ids.count(name) > 1]
    messages += [
        f"{e.text} is not a time" for tag in ("updated", "published") for e in root.iter(ATOM + tag) if not RFC_3339.fullmatch(e.text)
    ]
    for element in (root, *root.iter(f"{ATOM}entry")):
        links = [(link.get("rel"), link.get("type")) for link in element.findall(f"{ATOM}link")]
        if links.count(("self", "application/atom+xml")) != (element is root) or not any(rel == "alternate" for rel, _ in links):
            messages.append(f"links: {links}")
        if len([link for link in links if link[0] == "alternate"]) != 1:
            messages.append("more than one alternate")
    return messages


def entries(content: bytes) -> list[Any]:
    """Return the entries as feedparser reads them, after checking that it found no error."""
    parsed = feedparser.parse(
        content, response_headers={"content-type": "application/atom+xml", "content-location": "https://copy.example.net/x/feed.atom"}
    )
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.version == "atom10"
    return list(parsed.entries)


def rendered(ledger: Ledger) -> bytes:
    content = feed.render(ledger)
    assert content is not None
    assert faults(content) == []
    return content


def with_releases(number: int, pack: PackInfo = PACK) -> Ledger:
    ledger = Ledger(pack=pack)
    for n in range(1, number + 1):
        ledger = ledger.after_publication(
            Entry(f"2026.11.{n}", f"2026-11-{min(n, 30):0>2}T08:00:00Z", "", str(n), {"areas": n}, ChangeCounts(None))
        )
    return ledger


def summary(entry: Any) -> str:
    return str(entry["summary"])


def texts(content: bytes) -> Sequence[str]:
    return [str(e.text) for tag in ("title", "summary", "name") for e in etree.fromstring(content).iter(ATOM + tag)]


class TestRender:
    def test_returns_none_without_releases(self) -> None:
        assert feed.render(Ledger(pack=PACK)) is None
        assert feed.render(replace(with_releases(1), pack=None)) is None, "who publishes is not known"

    def test_announces_other_addresses_and_columns(self) -> None:
        ledger = Ledger(pack=PACK)
        for n, shape in enumerate(("", "1.0.0", "1.2.0", "2.0.0"), start=1):
            changes = ChangeCounts(f"2026.11.{n - 1}" if n > 1 else None)
            entry = Entry(f"2026.11.{n}", f"2026-11-0{n}T08:00:00Z", "", str(n), {"areas": n}, changes, schema_version=shape)
            ledger = ledger.after_publication(entry)
        broken, added, moved, first = map(summary, entries(rendered(ledger)))
        assert moved.startswith("The files have other addresses than in release 2026.11.1 (schema_version 1.0.0): the table of old and new")
        assert broken.startswith(
            "Tables, columns or addresses differ from release 2026.11.3 (schema_version 1.2.0, now 2.0.0), so programs may"
        )
        assert not any("addresses" in text for text in (added, first)), "new columns break no program"

    def test_lists_newest_release_first(self) -> None:
        items = entries(rendered(with_releases(3)))
        assert [e.title for e in items] == [f"Ukázkové ukazatele 2026.11.{n}" for n in (3, 2, 1)]
        assert [e.id for e in items] == [f"https://data.example.org/zpo2/feed.atom#2026.11.{n}" for n in (3, 2, 1)]
        assert items[0].updated == items[0].published == "2026-11-03T08:00:00Z"
        assert items[0].title_detail.language == "cs"
        place = "https://data.example.org/zpo2/releases/2026.11.3/"
        assert [(link.rel, link.type, link.href.removeprefix(place)) for link in items[0].links] == [
            ("alternate", "text/html", ""), ("describedby", "text/turtle", "catalog.ttl"),
            ("describedby", "application/json", "datapackage.json"), ("related", "text/markdown", "CHANGELOG.md"),
        ]  # fmt: skip

    def test_has_entries_for_rollbacks_and_withdrawals(self) -> None:
        ledger = with_releases(3).after_change(LatestChange("rollback", "2026.11.3", "2026.11.2", "2026-11-20T08:00:00Z", "old boundaries"))
        ledger = ledger.after_change(LatestChange("rollback", "2026.11.2", "2026.11.3", "2026-11-20T08:00:00Z", "they were right"))
        ledger = ledger.after_change(LatestChange("withdrawal", "2026.11.3", "2026.11.2", "2026-11-21T08:00:00Z", "personal data"))
        ledger = ledger.after_withdrawal("2026.11.1", "2026-11-21T08:00:00Z", "wrong units", current="2026.11.2")
        items = entries(rendered(ledger))
        assert [(e.title.removeprefix("Ukázkové ukazatele "), e.tags[0].term) for e in items] == [
            ("2026.11.1: staženo", "withdrawn"), ("2026.11.3: staženo", "withdrawn"), ("2026.11.3: opět aktuální", "rollback"),
            ("2026.11.2: opět aktuální", "rollback"), ("2026.11.3 (staženo)", "published"), ("2026.11.2", "published"),
            ("2026.11.1 (staženo)", "published"),
        ]  # fmt: skip
        assert summary(items[0]) == "Release 2026.11.1 was withdrawn. Reason: wrong units. It was not the current release."
        assert summary(items[1]) == "Release 2026.11.3 was withdrawn. Reason: personal data. Release 2026.11.2 has been current since then."
        assert summary(items[3]).endswith("replaces release 2026.11.3. Reason: old boundaries")
        assert summary(items[4]).startswith("Withdrawn at 2026-11-21T08:00:00Z (personal data). ")
        assert (items[4].published, items[4].updated) == ("2026-11-03T08:00:00Z", "2026-11-21T08:00:00Z")

    def test_keeps_ids_and_entries(self) -> None:
        before = entries(rendered(with_releases(2)))
        ledger = with_releases(3).after_change(LatestChange("rollback", "2026.11.3", "2026.11.2", "2026-11-20T08:00:00Z", "why"))
        assert entries(rendered(ledger))[-2:] == before
        moved = replace(ledger, pack=replace(PACK, base_uri="https://elsewhere.example.org/"))
        assert [e.id for e in entries(rendered(moved))] == [e.id for e in entries(rendered(ledger))]
        assert entries(rendered(moved))[0].link == "https://elsewhere.example.org/releases/2026.11.2/"

    def test_uses_relative_links_without_address(self) -> None:
        pack = replace(PACK, base_uri="", publisher={}, feed="urn:uuid:12345678-1234-5678-1234-567812345678")
        items = entries(rendered(with_releases(1, pack)))
        assert items[0].id == f"{pack.feed}#2026.11.1"
        assert items[0].link == "https://copy.example.net/x/releases/2026.11.1/"

    def test_is_limited_to_fifty_entries(self) -> None:
        items = entries(rendered(with_releases(60)))
        assert [e.title.rpartition(".")[2] for e in items] == [str(n) for n in range(60, 10, -1)]

    def test_has_no_links_to_pruned_files(self) -> None:
        items = entries(rendered(with_releases(2).annotate("2026.11.1", "pruned", at="2026-11-20T08:00:00Z")))
        assert [link.href for link in items[1].links] == ["https://data.example.org/zpo2/releases.json"]
        assert summary(items[1]).endswith("Its files were removed.")
        assert items[1].updated == items[1].published

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            (None, "7 rows in 2 tables."),
            ({"against": None}, "The first release: 7 rows in 2 tables."),
            (
                {"against": "2026.10.1", "comparable": False},
                "This release could not be compared with release 2026.10.1: 7 rows in 2 tables.",
            ),
            ({"against": "2026.10.1", "tables": {}}, "Compared with release 2026.10.1: no row and no cell differs. 7 rows in 2 tables."),
            (
                {"against": "2026.10.1", "tables": {"areas": {"added": 2, "removed": 1, "changed_cells": {"method": 3, "boundary": 4}}}},
                "Compared with release 2026.10.1: areas: 2 rows added, 1 withdrawn, 7 cells changed (3 method, 4 boundary). 7 rows in 2 tables.",
            ),
        ],
    )
    def test_summarises_changes(self, changes: dict[str, Any] | None, words: str) -> None:
        value = {
            "version": "2026.11.1",
            "released": "2026-11-01T08:00:00Z",
            "inputs_key": "",
            "content": "",
            "rows": {"areas": 3, "peers": 4},
        }
        entry = Entry.from_json({**value, **({"changes": changes} if changes else {})})
        assert entry.to_json().get("changes") == changes
        assert summary(entries(rendered(Ledger(pack=PACK).after_publication(entry)))[0]) == words

    def test_escapes_hostile_texts(self) -> None:
        pack = replace(PACK, title={"x<y": HOSTILE}, languages=["x<y"], publisher={"name": HOSTILE, "iri": 'https://o.example.org/"><x'})
        ledger = with_releases(2, replace(pack, base_uri='https://d.example.org/"><script> %zz/'))
        ledger = ledger.after_change(LatestChange("withdrawal", "2026.11.2", "2026.11.1", "2026-11-20T08:00:00Z", HOSTILE))
        content = rendered(ledger)
        assert b"<script" not in content
        assert {e.tag for e in etree.fromstring(content).iter()} == {
            ATOM + name
            for name in ("feed", "id", "title", "updated", "author", "name", "uri", "link", "entry", "published", "category", "summary")
        }
        items = texts(content)
        assert [text for text in items if text.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
        assert any("</summary><script>alert(1)</script> ]]> &amp; " in text for text in items), "what the operator wrote can be read"
        assert len(entries(content)) == 3

    @pytest.mark.parametrize("at", ["yesterday", "", "2026-11-23"])
    def test_accepts_invalid_time(self, at: str) -> None:
        ledger = with_releases(1).after_withdrawal("2026.11.1", at, "by hand", current="2026.11.1")
        assert "staženo" in rendered(ledger).decode()

    def test_accepts_annotation_written_by_hand(self, tmp_path: Path) -> None:
        ledger = with_releases(1)
        ledger = replace(ledger, releases=(replace(ledger.releases[0], annotations={"withdrawn": "by hand"}),))
        assert entries(rendered(ledger))[0].title == "Ukázkové ukazatele 2026.11.1 (staženo)"


class TestFaults:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text.replace("<updated>", "<updated>on ", 1),
            lambda text: text.replace("  <author>\n    <name>Úřad</name>\n    <uri>https://office.example.org/</uri>\n  </author>\n", ""),
            lambda text: text.replace("#2026.11.2<", "#2026.11.1<"),
            lambda text: text.replace('rel="alternate"', 'rel="related"'),
            lambda text: text.replace("<summary>", "<content>").replace("</summary>", "</content>"),
        ],
    )
    def test_finds_invalid_feed(self, damage: Any) -> None:
        good = rendered(with_releases(2)).decode()
        assert damage(good) != good
        assert faults(damage(good).encode()) != []


class TestBuild:
    def test_writes_feed(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        home.build(warehouse)
        home.build(changed_warehouse, later(1))
        lifecycle.withdraw(home.public, home.staging, "2026.11.2", "personal data", NOON)
        content = (home.public / "feed.atom").read_bytes()
        assert faults(content) == []
        withdrawal, second, first = entries(content)
        assert "Reason: personal data." in summary(withdrawal)
        assert "areas: 1 rows added, 0 withdrawn" in summary(second)
        assert summary(first).startswith("The first release: 1213 rows")
        assert [e.link for e in (second, first)] == [f"https://data.example.org/zpo2/releases/2026.11.{n}/index.html" for n in (2, 1)]
        assert [h.kind for h in read_ledger(home.public).events] == ["published", "published", "withdrawn"]

    @pytest.mark.slow
    def test_keeps_identifier_of_feed(self, home: Home, warehouse: Path) -> None:
        home.build(warehouse, replace(later(0), base_uri=""))
        name = etree.fromstring((home.public / "feed.atom").read_bytes()).findtext(f"{ATOM}id")
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", str(name))
        home.build(warehouse, later(1))
        content = (home.public / "feed.atom").read_bytes()
        assert etree.fromstring(content).findtext(f"{ATOM}id") == name
        assert entries(content)[0].link == "https://data.example.org/zpo2/releases/2026.11.2/index.html"

    @pytest.mark.slow
    def test_completes_ledger_of_earlier_version(self, home: Home, warehouse: Path) -> None:
        home.build(warehouse)
        ledger = read_ledger(home.public)
        old = replace(ledger, pack=None, releases=tuple(replace(e, changes=None) for e in ledger.releases), events=())
        public_folder.write_ledger(old, home.public, home.staging)
        (home.public / "feed.atom").unlink()
        (home.public / ".latest").unlink()
        assert home.build(warehouse, later(1)).changed is False
        assert [e.title for e in entries((home.public / "feed.atom").read_bytes())] == ["Demo indicators 2026.11.1"]
        assert read_ledger(home.public).events == ledger.events
        assert (home.public / ".latest").exists()


class TestEventsOf:
    def test_orders_events_by_time(self) -> None:
        ledger = with_releases(2).after_change(LatestChange("withdrawal", "2026.11.2", "2026.11.1", "2026-11-20T08:00:00Z", "why"))
        ledger = ledger.after_publication(Entry("2026.11.3", "2026-11-21T08:00:00Z", "", "3", {}))
        ledger = ledger.after_withdrawal("2026.11.1", "2026-11-22T08:00:00Z", "old", current="2026.11.3")
        ledger = ledger.after_change(LatestChange("rollback", "2026.11.3", "2026.11.2", "2026-11-23T08:00:00Z", "odd"))
        assert events_of(ledger.releases, ledger.latest_changes) == ledger.events


class TestRecover:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["feed.atom", ".latest"])
    def test_restores_derived_file(self, home: Home, warehouse: Path, name: str) -> None:
        home.build(warehouse)
        path = home.public / name
        before = (path.read_bytes(), path.is_symlink())
        path.unlink()
        path.write_text("eaten")
        lifecycle.recover(home.public, home.staging)
        assert (path.read_bytes(), path.is_symlink()) == before
