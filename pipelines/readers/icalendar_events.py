"""Reads iCalendar (RFC 5545): one row per occurrence of an event. Organisers and attendees are left out.

Recurrences are expanded by `recurring-ical-events`: from the first start in the file to two years after the newest date in it, so that
the same bytes always give the same rows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core.printable import one_line, shortened
from pipelines.readers import decoding, member
from pipelines.readers.event_fields import Row, frame
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

HORIZON = dt.timedelta(days=731)
MAX_OCCURRENCES = 200_000
_FIRST_YEAR = 1900
_SHOWN = ("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "URL", "STATUS")
_TIMES = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "GEO")
_ONCE = ("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "URL", "STATUS", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "SEQUENCE", "GEO")
"""Properties that an event has at most once."""
_MAX_REASON = 300  # characters of what a library says of a property
_NO_UID = "\nno UID "  # no text of a file begins with a line break
_UNPARSED = re.compile(r"into parts: ['\"]([A-Za-z0-9-]+)[:;]")


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the occurrences of all events in order of time, with all event columns. `__row` counts occurrences, from 1.

    An all-day event ends on its last day. Events with one UID are one event if they start at the same time: the version with the highest
    SEQUENCE counts, and the others have the reason `version` in `__ignored`. With different starts they are different events; if they
    differ in SEQUENCE, too, the older ones get a fault, because an event may have been moved.
    """
    import icalendar
    import recurring_ical_events

    raw = member.content(path, options.member)
    if options.member is None:
        member.not_packed(raw, path)
    data, clean, encoding = decoding.as_utf8(raw, options.encoding)
    try:
        calendars = icalendar.Calendar.from_ical(data if clean else decoding.to_text(data), multiple=True)
    except Exception as error:  # the libraries document no common one
        raise UnreadableSnapshot(f"not a calendar: {error}") from None
    good, rows, events = icalendar.Calendar(), list[Row](), list[Any]()
    for component in (c for calendar in calendars for outer in calendar.subcomponents for c in _with_inner_events(outer)):
        fault = _fault(component, encoding) if component.name == "VEVENT" else None
        if fault:
            rows.append({**_description(component), "__fault": fault})
        elif component.name == "VEVENT":
            component.subcomponents = []  # alarms
            events.append(component)
        elif component.name == "VTIMEZONE":
            good.add_component(component)
    if not events and not rows:
        raise UnreadableSnapshot("the calendar has no event")
    events, older = _without_older_versions(events)
    series = _with_distinct_uids(events)
    for event in events:
        good.add_component(event)
    try:
        expanded = list(_first(recurring_ical_events.of(good).between(*_window(events)), MAX_OCCURRENCES)) if events else []
    except Exception as error:
        raise UnreadableSnapshot(f"the recurrences cannot be expanded: {error}") from None
    occurrences = sorted((_event(e, series) for e in expanded), key=lambda row: (row["start"] or "", row["id"] or ""))
    return frame([*occurrences, *rows, *older, *_without_occurrence(events, expanded)], options)


def _with_inner_events(component: Any) -> list[Any]:
    """Return a component, and the events inside an event: the end of the outer one is missing, which is its fault (`_fault`)."""
    return component.walk("VEVENT") if component.name == "VEVENT" else [component]


def _without_older_versions(events: list[Any]) -> tuple[list[Any], list[Row]]:
    """Return the newest version of each event, and rows for all others."""
    families: dict[tuple[str | None, Any], list[Any]] = defaultdict(list)
    for event in events:  # an exception to a series is an event of its own
        replaced = getattr(event.get("RECURRENCE-ID"), "dt", None)
        families[_text(event, "UID") or id(event), replaced].append(event)  # type: ignore[index]
    newest, older = list[Any](), list[Row]()
    for family in families.values():
        last = max(_sequence(event) for event in family)
        by_start: dict[Any, Any] = {}
        for event in family:
            start = event.get("DTSTART").dt
            if _sequence(event) < last and any(_sequence(e) == last and e.get("DTSTART").dt != start for e in family):
                is_same = any(_sequence(e) > _sequence(event) and e.get("DTSTART").dt == start for e in family)
                reason = f"an older version of the event (SEQUENCE {_sequence(event)}, the newest is {last}) with another start"
                older.append({**_description(event), **({"__ignored": "version"} if is_same else {"__fault": reason})})
            elif start not in by_start or _sequence(event) >= _sequence(by_start[start]):
                older += [{**_description(by_start[start]), "__ignored": "version"}] if start in by_start else []
                by_start[start] = event
            else:
                older.append({**_description(event), "__ignored": "version"})
        newest += by_start.values()
    return newest, older


def _sequence(event: Any) -> int:
    return int(event.get("SEQUENCE", 0))


def _with_distinct_uids(events: list[Any]) -> dict[str, str]:
    """Give every event and series its own UID, and return the original UID of those that need their start in the identifier.

    These are the occurrences of series, and events that share a UID.
    """
    from icalendar import vText

    by_uid: dict[str, list[Any]] = defaultdict(list)
    for number, event in enumerate(events):
        if not _text(event, "UID"):
            event["UID"] = vText(f"{_NO_UID}{number}")
        by_uid[str(event["UID"])].append(event)
    series: dict[str, str] = {}
    for uid, family in by_uid.items():
        bases = [event for event in family if "RECURRENCE-ID" not in event]
        # the exceptions of a series belong to the event that recurs
        bases.sort(key=lambda event: not ("RRULE" in event or "RDATE" in event))
        for number, event in enumerate(bases[1:], 2):
            event["UID"] = vText(f"{uid}\n{number}")
        if len(bases) != 1 or len(family) > 1 or any(name in family[0] for name in ("RRULE", "RDATE", "RECURRENCE-ID")):
            series |= {str(event["UID"]): uid for event in family}
    return series


def _without_occurrence(events: list[Any], expanded: list[Any]) -> list[Row]:
    """Return a row with a fault for each event of which no occurrence was found, so that no event vanishes."""
    starts = {(str(event["UID"]), event.start) for event in expanded}
    uids = {uid for uid, _ in starts}
    rows = []
    for event in events:
        start = event.get("DTSTART").dt
        uid = str(event["UID"])
        if (uid, start) in starts or ("RECURRENCE-ID" not in event and uid in uids):
            continue
        rows.append(
            {**_description(event), "__fault": "no occurrence of the event can be found: its rule ends before it starts, or excludes all"}
        )
    return rows


def _first(occurrences: Any, most: int) -> Iterator[Any]:
    for number, occurrence in enumerate(occurrences):
        if number >= most:
            raise UnreadableSnapshot(f"more than {most} occurrences")
        yield occurrence


def _fault(event: Any, encoding: str) -> str | None:
    """Return why an event cannot be used, or None. Properties that are not used, such as attendees, refuse nothing and are not shown."""
    for property_name, text in event.errors:
        unparsed = _UNPARSED.search(text) if property_name is None else None
        name = unparsed[1].upper() if unparsed else property_name
        if name is None:
            return "a line that names no property, so the line above may be cut off"
        if name in _SHOWN or (unparsed and name in _TIMES):
            return f"{name}: cannot be read"
        if name in _TIMES and str(event.get(name, "-")).strip():
            return f"{name}: {shortened(one_line(text), _MAX_REASON)}"
    if any(inner.name == "VEVENT" for inner in event.subcomponents):
        return "another event begins before it ends"
    repeated = next((name for name in _ONCE if isinstance(event.get(name), list)), None)
    if repeated:
        return f"{repeated}: is there {len(event[repeated])} times"
    start = getattr(_readable(event, "DTSTART"), "dt", None)
    if not isinstance(start, dt.date):
        return "no DTSTART"
    shown = [*(_text(event, name) or "" for name in _SHOWN if name != "CATEGORIES"), *_categories(event)]
    wrong = decoding.invalid("".join(shown), encoding)
    if wrong:
        return wrong
    for name in [name for name in event if name in _TIMES and not isinstance(event[name], list) and str(event[name]) == ""]:
        del event[name]  # an empty property is like none
    end = getattr(event.get("DTEND"), "dt", None)
    if isinstance(end, dt.date) and type(end) is type(start) and _day(end) < _day(start):
        return "the event ends before it starts"
    return _endless(event.get("RRULE"), start)


def _endless(rule: Any, start: dt.date) -> str | None:
    """Return why the occurrences of a rule cannot be computed, or None: the library computes all before it returns the first one."""
    for one in rule if isinstance(rule, list) else [rule] if rule is not None else []:
        interval = int((one.get("INTERVAL") or [1])[0])
        if interval < 1:
            return f"RRULE: INTERVAL is {interval}"
        frequency = str((one.get("FREQ") or [""])[0]).upper()
        if frequency in ("SECONDLY", "MINUTELY", "HOURLY"):
            return f"RRULE: {frequency.lower()} occurrences are not events"
        if start.year < _FIRST_YEAR:
            return f"RRULE: occurrences since the year {start.year}"
    return None


def _window(events: list[Any]) -> tuple[dt.date, dt.date]:
    starts = [_day(event.get("DTSTART").dt) for event in events]
    dates = [_day(event.get(name).dt) for event in events for name in ("DTSTAMP", "LAST-MODIFIED") if name in event]
    newest = max([*starts, *dates])
    return min(starts), newest + HORIZON if newest < dt.date.max - HORIZON else dt.datetime.max


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _event(event: Any, series: dict[str, str]) -> Row:
    start, end = event.start, event.end
    if not isinstance(start, dt.datetime) and end > start:
        end -= dt.timedelta(days=1)  # DTEND is the day after the last
    uid = _text(event, "UID")
    identifier = f"{series[uid]} {start.isoformat()}" if uid in series else uid
    return {**_description(event), "id": identifier, "start": start.isoformat(), "end": end.isoformat()}


def _description(event: Any) -> Row:
    """Return the fields of an event as they stand in the file."""
    geo, start = _readable(event, "GEO"), getattr(_readable(event, "DTSTART"), "dt", None)
    categories = _categories(event)
    return {
        "id": _text(event, "UID"),
        "title": _text(event, "SUMMARY"),
        "start": start.isoformat() if isinstance(start, dt.date) else None,
        "category": next(iter(categories), None),
        "categories": ", ".join(categories) or None,
        "status": (_text(event, "STATUS") or "").lower() or None,
        "url": _text(event, "URL"),
        "lat": str(geo.latitude) if geo is not None else None,
        "lon": str(geo.longitude) if geo is not None else None,
        "description": _text(event, "DESCRIPTION"),
        "location": _text(event, "LOCATION"),
    }


def _readable(event: Any, name: str) -> Any:
    """Return the value of a property, or None if there is none or if it could not be parsed; the first one of several."""
    from icalendar.prop import vBroken

    value = _first_value(event, name)
    return None if isinstance(value, vBroken) else value


def _first_value(event: Any, name: str) -> Any:
    value = event.get(name)
    return value[0] if isinstance(value, list) else value


def _text(event: Any, name: str) -> str | None:
    value = _first_value(event, name)
    return str(value) if value is not None and not str(value).startswith(_NO_UID) else None


def _categories(event: Any) -> list[str]:
    given = event.get("CATEGORIES")
    if given is None:
        return []
    return [str(text) for one in (given if isinstance(given, list) else [given]) for text in getattr(one, "cats", [one])]
