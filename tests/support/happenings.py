"""A pack of five places with pushed events, which are counted, and with a source whose files are dropped into the inbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.extract.cloudevents.parsing import BATCH, CloudEvent, parse
from pipelines.extract.cloudevents.queue import Queue
from tests.support import five_places

TYPE = "org.example.happening"
CHANGED = "org.example.people.changed"
SECRET = "a-secret-of-some-length"

HAPPENINGS = f"""\
id: happenings
title: Happenings
publisher: Town
licence: CC0-1.0
theme: events
fetch: {{push: {{type: {TYPE}, carries: record}}}}
read: {{format: json}}
columns: {{id: {{required: true}}, title: {{}}, start: {{required: true}}, place: {{required: true}}, organiser: {{personal: true}}}}
into: events
map: {{id: id, title: title, start: start, area: {{scheme: lau, code: place}}}}
"""
COUNTED = """\
id: counted
from: events
period: "year(start)"
measures: {happenings: "count(*)"}
universe: all
"""
TREES = """\
id: trees
title: Trees
publisher: Town
licence: CC0-1.0
theme: municipal
optional: true
fetch: {inbox: true}
read: {format: csv}
columns: {code: {required: true}, year: {required: true}, trees: {type: integer}}
into: observations
map: {area: {scheme: lau, code: code}, period: year, measures: {trees: trees}}
"""
INDICATORS = """\
- {id: happenings, title: Happenings, objective: ZPO2-2, field: social, unit: events, direction: higher_better,
   formula: {numerator: [{measure: happenings}]}, levels: [lau, nuts0]}
- {id: trees, title: Trees, objective: ZPO2-3, field: environmental, unit: trees, direction: higher_better,
   formula: {numerator: [{measure: trees}]}, levels: [lau, nuts0]}
"""


def write(folder: Path, cadence: str = "0 5 * * *") -> Path:
    """Write the pack. Its fetched sources are polled by `cadence`; people is also fetched when an event reports that it changed."""
    pack = five_places.write(folder)
    for name in ("areas", "people"):
        path = pack / "sources" / f"{name}.yml"
        push = f"push: {{type: {CHANGED}}}, " if name == "people" else ""
        path.write_text(path.read_text().replace("fetch: {", f'fetch: {{{push}cadence: "{cadence}", '))
    for name, text in (("happenings", HAPPENINGS), ("counted", COUNTED), ("trees", TREES)):
        (pack / "sources" / f"{name}.yml").write_text(text)
    (pack / "indicators" / "more.yml").write_text(INDICATORS)
    return pack


def event(number: int, *, version: int = 0, subject: bool = False, gone: bool = False) -> dict[str, Any]:
    """Return a CloudEvent about the happening `number`; a later `version` replaces the record."""
    day = 1 + number % 5
    value: dict[str, Any] = {
        "specversion": "1.0", "id": f"{number}-{version}", "source": "urn:town", "type": TYPE,
        "time": f"2024-05-{day + version:02d}T{number % 24:02d}:00:00Z", "datacontenttype": "application/json",
    }  # fmt: skip
    if subject:
        value["subject"] = f"happening/{number}"
    if not gone:
        start = f"2021-05-{day:02d}T10:00"
        value["data"] = {"id": str(number), "title": f"v{version}", "start": start, "place": f"a{1 + number % 5}", "organiser": "Jana Nová"}
    return value


def push(path: Path, events: list[dict[str, Any]]) -> None:
    """Put CloudEvents into the queue in the file `path`, as the receiver does."""
    parsed = parse({"content-type": BATCH}, body(events))
    with Queue(path) as queue:
        queue.put([event for event in parsed if isinstance(event, CloudEvent)], datetime.now(UTC))


def body(events: list[dict[str, Any]]) -> bytes:
    return json.dumps(events).encode()
