"""Reads events described with schema.org: JSON-LD files, and JSON-LD in web pages. Names of people are left out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import decoding, json_records, json_values, member
from pipelines.readers.event_fields import Row, frame, in_first_language, listed, string
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_DEPTH = 32
KINDS = {"Festival", "Hackathon", "CourseInstance"}  # events whose name does not end in Event
STATUSES = {"EventCancelled": "cancelled", "EventPostponed": "postponed", "EventRescheduled": "rescheduled", "EventScheduled": "scheduled"}


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return every event of the document, at any depth, with all event columns. `__row` counts events, from 1."""
    raw = member.content(path, options.member)
    is_page = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"
    documents = list(_in_page(raw, options)) if is_page else [json_records.load(path, options)]
    rows = [_event(item) for document in documents for item in _events(document, 0)]
    if not rows:
        raise UnreadableSnapshot("the document has no schema.org event")
    return frame(rows, options)


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and (dict(attrs).get("type") or "").split(";")[0].strip().lower() == "application/ld+json":
            self._inside = True
            self.texts.append("")

    def parse_html_declaration(self, i: int) -> int:
        """Take `<![...>` for a comment, as browsers do; Python's parser knows only some of its keywords."""
        return self.parse_bogus_comment(i) if self.rawdata.startswith("<![", i) else super().parse_html_declaration(i)

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False


def _in_page(raw: bytes, options: ReadOptions) -> Iterator[Any]:
    data, _, _ = decoding.as_utf8(raw, options.encoding)
    scripts = _Scripts()
    scripts.feed(decoding.to_text(data))
    for text in scripts.texts:
        try:
            number = json_values.Number
            yield json.loads(text, parse_float=number, parse_int=number, parse_constant=number)
        except (json.JSONDecodeError, RecursionError):
            continue  # a page may have a broken block beside good ones; a page without any event is refused


def _events(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > MAX_DEPTH:
        raise UnreadableSnapshot(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        for item in value:
            yield from _events(item, depth + 1)
    elif isinstance(value, dict):
        if any(_is_event(kind) for kind in listed(value.get("@type"))):
            yield value
        else:
            for item in value.values():
                yield from _events(item, depth + 1)


def _is_event(kind: Any) -> bool:
    name = _last(kind) or ""
    return name.endswith("Event") or name in KINDS


def _last(iri: Any) -> str | None:
    """Return the name at the end of an IRI or a prefixed name."""
    text = string(iri)
    return text.replace("#", "/").rsplit("/", 1)[-1].rsplit(":", 1)[-1] if text else None


def _event(event: dict[str, Any]) -> Row:
    places = [p for p in listed(event.get("location")) if isinstance(p, dict)]
    geo: dict[str, Any] = next((p["geo"] for p in places if isinstance(p.get("geo"), dict)), {})
    organisers = [o for o in listed(event.get("organizer")) if isinstance(o, dict)]
    audience = [a for a in listed(event.get("audience")) if isinstance(a, dict)]
    return {
        "id": string(event.get("@id")) or string(event.get("identifier")) or string(event.get("url")),
        "title": in_first_language(event.get("name"))[1],
        "start": string(event.get("startDate")),
        "end": string(event.get("endDate")),
        "categories": ", ".join(text for text in listed(event.get("keywords")) if isinstance(text, str)) or None,
        "category": next((_last(kind) for kind in listed(event.get("@type")) if _is_event(kind)), None),
        "organiser_kind": next((_last(kind) for o in organisers for kind in listed(o.get("@type"))), None),
        "audience": next((string(a.get("audienceType")) for a in audience), None),
        "is_free": _is_free(event),
        "is_online": _is_online(event, places),
        "status": STATUSES.get(_last(event.get("eventStatus")) or ""),
        "url": string(event.get("url")),
        "lat": string(geo.get("latitude")),
        "lon": string(geo.get("longitude")),
        "language": next((string(value) for value in listed(event.get("inLanguage"))), None),
        "description": in_first_language(event.get("description"))[1],
        "location": next(filter(None, map(_place_name, listed(event.get("location")))), None),
    }


def _place_name(place: Any) -> str | None:
    if not isinstance(place, dict):
        return string(place)
    address = place.get("address")
    locality = address.get("addressLocality") if isinstance(address, dict) else address
    return string(locality) or in_first_language(place.get("name"))[1]


def _is_free(event: dict[str, Any]) -> str | None:
    if isinstance(event.get("isAccessibleForFree"), bool):
        return "true" if event["isAccessibleForFree"] else "false"
    prices = [offer.get("price") for offer in listed(event.get("offers")) if isinstance(offer, dict)]
    try:
        amounts = [float(str(price)) for price in prices if price is not None]
    except ValueError:
        return None
    return ("true" if all(amount == 0 for amount in amounts) else "false") if amounts else None


def _is_online(event: dict[str, Any], places: list[dict[str, Any]]) -> str | None:
    mode = _last(event.get("eventAttendanceMode"))
    if mode in ("OnlineEventAttendanceMode", "MixedEventAttendanceMode"):
        return "true"
    if mode == "OfflineEventAttendanceMode":
        return "false"
    return "true" if any("VirtualLocation" in map(_last, listed(p.get("@type"))) for p in places) else None
