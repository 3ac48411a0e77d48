"""Pushed events: what the receiver accepts is sealed, archived, read in this process and mapped, as a run does it."""

from __future__ import annotations

import json
import logging
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from pipelines import packs
from pipelines.core import isolated
from pipelines.core.settings import Settings
from pipelines.extract import backlog
from pipelines.extract.cloudevents.parsing import BATCH
from pipelines.extract.cloudevents.receiver import application
from pipelines.extract.cloudevents.segments import event_types
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport
from pipelines.lake.quarantine import quarantine_frame
from pipelines.packs.workspace import Workspace
from tests.hostile.fuzzing import changes, corpus
from tests.hostile.fuzzing.case import MOST_BYTES, Case, Outcome, fault_of_text, kind_of
from tests.support import happenings

SECONDS = 15.0
"""CPU time of this process for one request and its run."""
FORMATS = ("json", "ofn-events", "ofn-notices", "schema-org-events")
_HEAD = "title: T\npublisher: Town\nlicence: CC0-1.0\ntheme: events\n"
_NUMBERS = """\
read: {format: json, decimal: ","}
columns: {id: {required: true}, place: {}, year: {}, trees: {type: integer}, share: {type: number}, day: {type: date}}
key: [id]
into: observations
map: {area: {scheme: lau, code: place}, period: year, measures: {grown: trees, shared: share}}
"""
_EVENTS = """\
read: {format: %s}
columns: {id: {required: true}, title: {}, start: {}}
into: events
map: {id: id, title: title, start: start, area: {scheme: lau, code: title}}
"""
RECORDS: dict[str, Any] = {
    "numbers": {"id": "1", "place": "a1", "year": 2021, "trees": 12, "share": 1.5, "day": "2021-05-01", "deep": {"a": [1, {"b": None}], "c/d": True}},
    "ofn-events": {
        "typ": ["Událost"], "iri": "urn:1", "název": {"cs": "a1"}, "typ_události": ["urn:a"], "popis": {"cs": "x"}, "vstupné": [],
        "doba_trvání": [{"typ": "Časová specifikace", "časový_interval": {"začátek": {"typ": "Časový okamžik", "datum": "2021-05-01"}}}],
        "umístění": [{"název": {"cs": "Park"}, "geometrie": {"type": "Point", "coordinates": [14.4, 50.1]}}],
    },
    "ofn-notices": {
        "typ": ["Digitální objekt", "Informace na úřední desce"], "iri": "urn:2", "název": {"cs": "a2"},
        "vyvěšení": {"typ": "Časový okamžik", "datum": "2021-05-01"}, "relevantní_do": {"typ": "Časový okamžik", "nespecifikovaný": True},
    },
    "schema-org-events": {
        "@context": "https://schema.org", "@type": "Event", "@id": "urn:3", "name": {"en": "a3"}, "startDate": "2021-05-01T10:00", "keywords": ["a"],
        "location": {"@type": "Place", "geo": {"latitude": "50.1", "longitude": "14.4"}, "address": {"addressLocality": "x"}},
        "offers": [{"price": "0"}], "organizer": [{"@type": "Organization"}], "isAccessibleForFree": True,
    },
}  # fmt: skip
"""A record of each source beside that of `happenings`."""


class Events:
    """Batches of events for sources of each format that can be pushed. A run reads them without a process of their own."""

    name = "events"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = logging.getLogger("zpo2")
        self._level = self._log.level
        self._log.setLevel(logging.CRITICAL)
        self._pack = packs.load(_written(folder / "pack"))

    def seeds(self) -> list[Case]:
        happened = [happenings.event(n) for n in range(3)] + [
            happenings.event(4, subject=True),
            happenings.event(4, subject=True, version=1),
        ]
        others = [
            {**happenings.event(n), "type": _type(name), "data": record, "subject": f"x/{n % 2}"}
            for n, (name, record) in enumerate([*RECORDS.items(), *RECORDS.items()], 5)
        ]
        batches = [happened, [*others, happenings.event(4, subject=True, gone=True)]]
        batches += [[event] for event in [*happened[:1], *others[: len(RECORDS)]]]
        return [*corpus.read(self.name), *(Case(f"batch-{n}", happenings.body(batch)) for n, batch in enumerate(batches))]

    def changed(self, chance: random.Random, pool: Sequence[Case]) -> Case:
        case = chance.choice(pool)
        content = case.content
        for _ in range(chance.choice([1, 1, 2, 4])):
            content = _other_events(chance, content)[:MOST_BYTES]
        return Case(case.name, content)

    def attempt(self, case: Case) -> Outcome:
        began = time.process_time()
        outcome = self._attempt(case.content)
        used = time.process_time() - began
        return Outcome(outcome.signature, f"the run used {used:.0f} s of CPU time") if used > SECONDS and outcome.fault is None else outcome

    def close(self) -> None:
        self._log.setLevel(self._level)
        isolated.stop_all()

    def _attempt(self, content: bytes) -> Outcome:
        home = self._folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        workspace = Workspace(home, Settings(SOURCE_DATE_EPOCH=1_760_000_000), pack=self._pack)
        with TestClient(
            application(workspace.queue, event_types(self._pack), [happenings.SECRET]), raise_server_exceptions=False
        ) as client:
            headers = {"content-type": BATCH, "authorization": f"Bearer {happenings.SECRET}"}
            answer = client.post("/events", content=content, headers=headers)
        signature = f"{answer.status_code} {kind_of(answer.text[:300]) if answer.status_code != 202 else ''}"
        if answer.status_code not in (202, 400, 409, 413) or (fault := fault_of_text(answer.text, lines=True, most=MOST_BYTES)):
            return Outcome(signature, f"the receiver answered {answer.status_code}: {answer.text[:300]!r}")
        accepted = int(answer.json().get("accepted", 0))
        if not accepted:
            return Outcome(signature)
        try:
            reports = self._run(workspace)
        except Exception as error:
            return Outcome(f"{signature} {type(error).__name__}", f"the run raised {type(error).__name__}: {error}"[:500])
        fault = _fault_of(reports, workspace)
        kinds = sorted({kind_of(text) for text in _texts(reports, workspace)})
        return Outcome(f"{signature} {kinds}", fault)

    def _run(self, workspace: Workspace) -> dict[str, SourceReport]:
        fetch_sources(workspace)
        backlog.seal_waiting_events(workspace)
        results = backlog.drain(workspace)
        assert all(result.error is None for result in results), [result.error for result in results]
        return Ingest(workspace).run()


def _type(name: str) -> str:
    return f"org.example.{name}"


def _written(folder: Path) -> Path:
    root = happenings.write(folder)
    (root / "sources" / "trees.yml").unlink()
    (root / "indicators" / "more.yml").unlink()
    for name in RECORDS:
        rest = _NUMBERS if name == "numbers" else _EVENTS % name
        text = f"id: {name.replace('-', '_')}\n{_HEAD}fetch: {{push: {{type: {_type(name)}, carries: record}}}}\n{rest}"
        (root / "sources" / f"{name.replace('-', '_')}.yml").write_text(text, encoding="utf-8")
    return root


def _other_events(chance: random.Random, content: bytes) -> bytes:
    """Change the data of an event, an attribute, or the bytes of the whole."""
    try:
        events = json.loads(content)
        event = chance.choice(events)
        data = event["data"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return changes.any_of(chance, changes.in_json, changes.in_bytes, changes.in_text)(chance, content)
    match chance.randrange(8):
        case 0:
            return changes.any_of(chance, changes.in_json, changes.in_text, changes.in_bytes)(chance, content)
        case 1:
            event["time"] = chance.choice(
                ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-05-01T12:00:00+23:59", "2024-02-29t00:00:00.9z"]
            )
        case 2:
            event["id"], event["subject"] = changes.value(chance) or "x", changes.value(chance)
        case 3:
            events += [{**event, "id": f"{chance.randrange(10**6)}"} for _ in range(chance.choice([1, 5, 100]))]
        case 4 if isinstance(data, dict):
            keys = chance.choice([5, 300, 3_000])
            event["data"] = {**data, **{f"{chance.randrange(10**6)}": None for _ in range(keys)}}
        case _:
            event["data"] = changes.in_tree(chance, data, [*RECORDS["numbers"], "@type", "typ", "__row", "place"])
    return json.dumps(events, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def _texts(reports: dict[str, SourceReport], workspace: Workspace) -> list[str]:
    """Return all errors and all reasons of quarantine."""
    found = [text for report in reports.values() for text in report.errors.values()]
    for source in reports:
        frame = quarantine_frame(workspace, source)
        found += [text for text in frame["reason"].unique().sort().to_list() if text] if frame.height else []
    return found


def _fault_of(reports: dict[str, SourceReport], workspace: Workspace) -> str | None:
    for text in _texts(reports, workspace):
        if fault := fault_of_text(text, most=5_000):
            return f"in a reason, {fault}"
        if "reader failed" in text or "ended its process" in text:
            return f"an exception that no reader documents: {text[:300]!r}"
    for name, report in reports.items():
        for part in report.parts.values():
            if part.rows_read != part.accepted + part.quarantined + sum(part.ignored.values()):
                return f"{name}: {part.rows_read} rows are not {part.accepted} + {part.quarantined} + {part.ignored}"
        if report.errors:
            return f"{name}: {report.errors}"[:300]
    return None
