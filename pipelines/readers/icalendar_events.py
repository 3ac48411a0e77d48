"""Reads iCalendar (RFC 5545): one row per occurrence of an event. Organisers and attendees are left out.

Recurrences are expanded by `recurring-ical-events`: from the first start in the file to two years after the newest date in it, so that
the same bytes always give the same rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import decoding, member
from pipelines.readers.event_fields import Row, frame
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

HORIZON = dt.timedelta(days=731)
MAX_OCCURRENCES = 200_000
_FIRST_YEAR = 1900
_SHOWN = ("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "URL", "STATUS")


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the occurrences of all events in order of time, with all event columns. `__row` counts occurrences, from 1.

    An all-day event ends on its last day. Of several versions of an event, the one with the highest SEQUENCE counts.
    """
    import icalendar
    import recurring_ical_events

    raw = member.content(path, options.member)
    if options.member is None:
        member.not_packed(raw, path)
    data, clean, encoding = decoding.as_utf8(raw, options.encoding)
    try:
        calendars = icalendar.Calendar.from_ical(data if clean else decoding.to_text(data), multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        raise UnreadableSnapshot(f"not a calendar: {error}") from None
    good, rows = icalendar.Calendar(), list[Row]()
    for component in (c for calendar in calendars for c in calendar.subcomponents):
        fault = _fault(component, encoding) if component.name == "VEVENT" else None
        if fault:
            rows.append({"id": _text(component, "UID"), "__fault": fault})
        elif component.name in ("VEVENT", "VTIMEZONE"):
            good.add_component(component)
    events = list(good.walk("VEVENT"))
    if not events and not rows:
        raise UnreadableSnapshot("the calendar has no event")
    series = {_text(e, "UID") for e in events if any(name in e for name in ("RRULE", "RDATE", "RECURRENCE-ID"))}
    try:
        expanded = list(_first(recurring_ical_events.of(good).between(*_window(events)), MAX_OCCURRENCES)) if events else []
    except (ValueError, OverflowError, TypeError, recurring_ical_events.InvalidCalendar) as error:
        raise UnreadableSnapshot(f"the recurrences cannot be expanded: {error}") from None
    occurrences = sorted((_event(e, series) for e in expanded), key=lambda row: (row["start"] or "", row["id"] or ""))
    return frame([*occurrences, *rows], options)


def _first(occurrences: Any, most: int) -> Iterator[Any]:
    for number, occurrence in enumerate(occurrences):
        if number >= most:
            raise UnreadableSnapshot(f"more than {most} occurrences")
        yield occurrence


def _fault(event: Any, encoding: str) -> str | None:
    if event.errors:
        return "; ".join(f"{name}: {text}" for name, text in event.errors)
    start = getattr(event.get("DTSTART"), "dt", None)
    if not isinstance(start, dt.date):
        return "no DTSTART"
    wrong = decoding.invalid("".join(str(event.get(name)) for name in _SHOWN if name in event), encoding)
    if wrong:
        return wrong
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


def _event(event: Any, series: set[str | None]) -> Row:
    start, end = event.start, event.end
    if not isinstance(start, dt.datetime) and end > start:
        end -= dt.timedelta(days=1)  # DTEND is the day after the last
    uid = _text(event, "UID")
    geo = event.get("GEO")
    return {
        "id": f"{uid} {start.isoformat()}" if uid in series else uid,
        "title": _text(event, "SUMMARY"),
        "start": start.isoformat(),
        "end": end.isoformat(),
        "category": next(iter(_categories(event)), None),
        "categories": ", ".join(_categories(event)) or None,
        "status": (_text(event, "STATUS") or "").lower() or None,
        "url": _text(event, "URL"),
        "lat": str(geo.latitude) if geo is not None else None,
        "lon": str(geo.longitude) if geo is not None else None,
        "description": _text(event, "DESCRIPTION"),
        "location": _text(event, "LOCATION"),
    }


def _text(event: Any, name: str) -> str | None:
    value = event.get(name)
    return str(value) if value is not None else None


def _categories(event: Any) -> list[str]:
    given = event.get("CATEGORIES")
    if given is None:
        return []
    return [str(text) for one in (given if isinstance(given, list) else [given]) for text in getattr(one, "cats", [one])]
