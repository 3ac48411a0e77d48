"""Formats made for events: the Czech open standard and schema.org, in the shapes that their documents describe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.readers import ReadOptions, UnreadableSnapshot, read


def rows(path: Path, format: str) -> list[dict[str, Any]]:
    result = read(path, ReadOptions(format=format)).to_dicts()  # type: ignore[arg-type]
    return [{k: v for k, v in row.items() if v is not None} for row in result]


CONCERT: dict[str, Any] = {
    "@context": "https://ofn.gov.cz/události/2020-07-01/kontexty/událost.jsonld",
    "typ": "Událost",
    "iri": "https://data.example.org/u/1",
    "název": {"cs": "Koncert", "en": "Concert"},
    "doba_trvání": [{"typ": "Časová specifikace", "časový_interval": {
        "začátek": {"typ": "Časový okamžik", "datum_a_čas": "2024-05-01T19:00:00+02:00"}, "konec": {"datum": "2024-05-02"}}}],
    "kontakt": [{"jméno": "Jan Novák", "email": "jan@example.org"}],
    "vstupné": [{"částka": 0}],
    "typ_události": ["https://data.example.org/druh/koncert"],
    "umístění": [{"název": {"cs": "Náměstí"}, "geometrie": {"type": "Point", "coordinates": [16.6, 49.2]}}],
}  # fmt: skip


class TestOfnEventsReader:
    def test_returns_fields_without_contacts(self, file: Callable[[str], Path]) -> None:
        assert rows(file(json.dumps(CONCERT)), "ofn-events") == [
            {
                "id": "https://data.example.org/u/1", "title": "Koncert", "start": "2024-05-01T19:00:00+02:00", "end": "2024-05-02",
                "category": "https://data.example.org/druh/koncert", "categories": "https://data.example.org/druh/koncert",
                    "is_free": "true", "lon": "16.6", "lat": "49.2", "language": "cs",
                "location": "Náměstí", "__row": 1,
            }
        ]  # fmt: skip

    def test_accepts_partial_and_swapped_coordinates(self, file: Callable[[str], Path]) -> None:
        bare = {
            "typ": ["Událost"],
            "iri": "x",
            "doba_trvání": {"začátek": {"datum": "2024-01-01"}},
            "vstupné": [{"částka": 0}, {"částka": 50}],
        }
        turned = CONCERT | {"umístění": {"geometrie": {"type": "Point", "coordinates": [49.2, 16.6]}}, "vstupné": [{}]}
        result = rows(file(json.dumps([bare, turned, {"typ": "Jiné"}, 3])), "ofn-events")
        assert result[0] == {"id": "x", "start": "2024-01-01", "is_free": "false", "__row": 1}
        assert (result[1]["lon"], result[1]["lat"]) == ("16.6", "49.2")
        assert "is_free" not in result[1]
        assert result[2]["__fault"] == "typ is 'Jiné', not Událost"
        assert result[3]["__fault"] == "the event is not an object"
        with pytest.raises(UnreadableSnapshot, match="no event"):
            rows(file(json.dumps({"typ": "Datová sada"})), "ofn-events")


PLAY: dict[str, Any] = {
    "@type": ["TheaterEvent", "Thing"],
    "@id": "https://theatre.example.org/1",
    "name": "Play",
    "startDate": "2024-05-01T19:00",
    "eventStatus": "https://schema.org/EventCancelled",
    "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
    "organizer": {"@type": "Person", "name": "Jan Novák"},
    "offers": [{"price": "0"}, {"price": 0.0}],
    "location": {
        "@type": "Place",
        "name": "Hall",
        "address": {"addressLocality": "Brno"},
        "geo": {"latitude": 49.2, "longitude": 16.6},
    },
    "inLanguage": "cs",
}


class TestSchemaOrgReader:
    def test_returns_fields_without_names_of_people(self, file: Callable[[str], Path]) -> None:
        expected = {
            "id": "https://theatre.example.org/1", "title": "Play", "start": "2024-05-01T19:00", "category": "TheaterEvent",
            "organiser_kind": "Person", "is_free": "true", "is_online": "false", "status": "cancelled", "lat": "49.2", "lon": "16.6",
            "language": "cs", "location": "Brno", "__row": 1,
        }  # fmt: skip
        assert rows(file(json.dumps(PLAY)), "schema-org-events") == [expected]

    def test_searches_the_whole_document(self, file: Callable[[str], Path]) -> None:
        fair = {"@type": "schema:Festival", "name": "Fair", "location": [{"@type": "VirtualLocation"}], "isAccessibleForFree": False}
        graph = {"@context": "https://schema.org", "@graph": [{"@type": "Organization", "event": PLAY}, fair]}
        result = rows(file(json.dumps([graph])), "schema-org-events")
        assert [row["title"] for row in result] == ["Play", "Fair"]
        assert (result[1]["is_online"], result[1]["is_free"], result[1]["category"]) == ("true", "false", "Festival")

    def test_reads_web_pages(self, file: Callable[[str], Path]) -> None:
        page = f"""<!doctype html><html><head><script type="application/ld+json">{{broken</script>
    <script>var x = "<Event>";</script><script type="application/ld+json; charset=utf-8">{json.dumps(PLAY)}</script></head></html>"""
        assert [row["title"] for row in rows(file(page), "schema-org-events")] == ["Play"]
        with pytest.raises(UnreadableSnapshot, match=r"no schema\.org event"):
            rows(file("<html><body>log in</body></html>"), "schema-org-events")


@pytest.mark.parametrize("name", ["SUMMARY", "DTSTART", "DTEND", "GEO", "UID", "URL"])
def test_property_that_is_there_twice_is_a_fault(file: Callable[[bytes], Path], name: str) -> None:
    given = {
        "UID": "1",
        "SUMMARY": "Fair",
        "DTSTART": "20210501T100000Z",
        "DTEND": "20210501T110000Z",
        "GEO": "49.2;16.6",
        "URL": "https://x.example/",
    }
    lines = [
        *(f"{key}:{value}" for key, value in given.items()),
        f"{name}:{given[name]}",
        *(["SUMMARY:\udcee"] if name == "SUMMARY" else []),
    ]
    event = "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"]).encode("utf-8", "surrogateescape")
    good = b"BEGIN:VEVENT\r\nUID:2\r\nDTSTART:20210501T100000Z\r\nEND:VEVENT\r\n"
    found = rows(file(b"BEGIN:VCALENDAR\r\n" + event + b"\r\n" + good + b"END:VCALENDAR\r\n"), "ics")
    faults = {row["id"]: row.get("__fault") for row in found}
    assert faults == {"1": f"{name}: is there {3 if name == 'SUMMARY' else 2} times", "2": None}
    assert not [text for row in found for text in row.values() if "vText" in str(text)]


def test_event_whose_end_is_missing_leaves_the_events_inside_it(file: Callable[[bytes], Path]) -> None:
    inner = "BEGIN:VEVENT\nUID:2\nDTSTART:20210501T100000Z\nBEGIN:VALARM\nACTION:AUDIO\nEND:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nUID:3\nEND:VEVENT\n"
    text = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20210501T100000Z\n{inner}END:VEVENT\nEND:VCALENDAR\n"
    faults = {row["id"]: row.get("__fault") for row in rows(file(text.encode()), "ics")}
    assert faults == {"1": "another event begins before it ends", "2": None, "3": "no DTSTART"}


def test_reason_of_a_property_is_short_and_printable(file: Callable[[bytes], Path]) -> None:
    event = b"BEGIN:VEVENT\nUID:1\nDTSTART:20210501T100000Z\nSEQUENCE:\x1b[31m" + b"9" * 5000 + b"\nEND:VEVENT\n"
    [row] = rows(file(b"BEGIN:VCALENDAR\n" + event + b"END:VCALENDAR\n"), "ics")
    assert row["__fault"].isprintable()
    assert len(row["__fault"]) < 400


def test_mark_that_only_browsers_know_hides_no_event(file: Callable[[bytes], Path]) -> None:
    event = b'{"@type": "Event", "name": "Fair", "startDate": "2021-05-01"}'
    page = b'<!doctype html><![ html><![if !IE]><script type="application/ld+json">' + event + b"</script><![endif]>"
    assert [row["title"] for row in rows(file(page), "schema-org-events")] == ["Fair"]


def test_message_shows_no_control_character_of_the_file(file: Callable[[bytes], Path]) -> None:
    with pytest.raises(UnreadableSnapshot) as raised:
        rows(file(b"BEGIN:VCALENDAR\r\n\x1b[31m\x85\xee\r\n"), "ics")
    assert str(raised.value).isprintable()
    assert len(str(UnreadableSnapshot("x" * 10_000))) < 3_000


CALENDAR = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//x//y//EN\r
BEGIN:VEVENT\r
UID:day\r
DTSTAMP:20240101T000000Z\r
DTSTART;VALUE=DATE:20240501\r
DTEND;VALUE=DATE:20240503\r
SUMMARY:A long name that is\r
  folded\r
CATEGORIES:music,market\r
ORGANIZER;CN=Jan Novak:mailto:jan@example.org\r
GEO:49.2;16.6\r
STATUS:CONFIRMED\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:week\r
SEQUENCE:1\r
DTSTAMP:20240101T000000Z\r
DTSTART;TZID=Europe/Prague:20240325T180000\r
DTEND;TZID=Europe/Prague:20240325T190000\r
RRULE:FREQ=WEEKLY;COUNT=3\r
EXDATE;TZID=Europe/Prague:20240401T180000\r
SUMMARY:Choir\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:week\r
RECURRENCE-ID;TZID=Europe/Prague:20240408T180000\r
DTSTAMP:20240101T000000Z\r
DTSTART;TZID=Europe/Prague:20240408T200000\r
DTEND;TZID=Europe/Prague:20240408T210000\r
SUMMARY:Choir, later\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:broken\r
SUMMARY:No start\r
END:VEVENT\r
END:VCALENDAR\r
"""


class TestCalendarReader:
    def test_returns_occurrences_without_organisers(self, file: Callable[[str], Path]) -> None:
        result = rows(file(CALENDAR), "ics")
        assert [(r.get("id"), r.get("start"), r.get("end")) for r in result] == [
            ("week 2024-03-25T18:00:00+01:00", "2024-03-25T18:00:00+01:00", "2024-03-25T19:00:00+01:00"),
            ("week 2024-04-08T20:00:00+02:00", "2024-04-08T20:00:00+02:00", "2024-04-08T21:00:00+02:00"),
            ("day", "2024-05-01", "2024-05-02"),
            ("broken", None, None),
        ]
        assert result[1]["title"] == "Choir, later"
        day = result[2]
        assert (day["title"], day["category"], day["lat"], day["status"]) == ("A long name that is folded", "music", "49.2", "confirmed")
        assert result[3]["__fault"] == "no DTSTART"
        assert "Novak" not in str(result)

    def test_expands_endless_rules_within_the_window(self, file: Callable[[str], Path]) -> None:
        endless = CALENDAR.replace("RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=YEARLY")
        weeks = [r for r in rows(file(endless), "ics") if r["id"].startswith("week")]
        assert [r["start"][:4] for r in weeks] == ["2024", "2024", "2025", "2026"]
        assert rows(file(endless), "ics") == rows(file(endless), "ics")

    def test_refuses_other_files(self, file: Callable[[str], Path]) -> None:
        for text in ("<html></html>", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", ""):
            with pytest.raises(UnreadableSnapshot):
                rows(file(text), "ics")

    def test_reads_a_real_calendar(self, real: Callable[[str], Path]) -> None:
        result = rows(real("F12.ics"), "ics")
        assert len(result) == 84
        assert (result[0]["start"], result[0]["end"], result[0]["title"]) == ("2025-02-10", "2025-02-10", "Odpad: kuchynský")
        assert all("__fault" not in row for row in result)
