"""Segments: each accepted event ends in the lake, whatever happens to the declaration of its source between the answer and the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import packs, readers
from pipelines.cli.status import collect
from pipelines.core.settings import Settings
from pipelines.extract import backlog
from pipelines.extract.cloudevents.parsing import CloudEvent, parse
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import Backlog, backlog_of
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, pushed, rows
from pipelines.lake.quarantine import quarantine_frame
from pipelines.packs.workspace import Workspace
from pipelines.readers import ReadOptions
from tests.support import happenings

OTHER = "org.example.other"


class Place:
    """A pack whose declarations change between runs, and its workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        happenings.write(folder / "pack")

    @property
    def workspace(self) -> Workspace:
        """The workspace with the pack as it is declared now."""
        return Workspace(self.folder / "home", Settings(), pack=packs.load(self.folder / "pack"))

    def declare(self, old: str, new: str, name: str = "happenings") -> None:
        path = self.folder / "pack" / "sources" / f"{name}.yml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def switch(self, *, on: bool) -> None:
        for name in ("happenings", "counted"):
            self.declare(*(("enabled: false\n", "") if on else (f"id: {name}\n", f"id: {name}\nenabled: false\n")), name)

    def push(self, numbers: Sequence[int], type_: str = happenings.TYPE) -> None:
        """Put events into the queue, as a receiver does that knows the declarations of before."""
        with Queue(self.workspace.queue) as queue:
            queue.put([self._event(number, type_) for number in numbers], datetime.now(UTC))

    def _event(self, number: int, type_: str) -> CloudEvent:
        [parsed] = parse(
            {"content-type": "application/cloudevents-batch+json"}, happenings.body([happenings.event(number) | {"type": type_}])
        )
        assert isinstance(parsed, CloudEvent)
        return parsed

    def run(self) -> None:
        """Do what a run does with pushed events."""
        backlog.seal_waiting_events(self.workspace)
        backlog.drain(self.workspace)

    def waiting(self) -> Backlog:
        workspace = self.workspace
        with Queue(workspace.queue) as queue:
            return backlog_of(workspace.pack, SourceStates(workspace.fetch_state), queue)

    def in_lake(self, source: str = "happenings") -> list[int]:
        """Return the numbers of the events in the lake."""
        fetch_sources(self.workspace)
        report = Ingest(self.workspace).run()[source]
        frames = [pl.read_parquet(self.workspace.lake / file.path) for file in report.files("events")]
        return sorted(int(i) for frame in frames for i in frame["id"])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.slow
def test_events_wait_while_their_source_is_disabled_and_are_taken_up_when_it_is_enabled(place: Place) -> None:
    place.push(range(10))
    place.run()
    place.switch(on=False)
    for batch in (range(10, 20), range(20, 30)):
        place.push(batch)
        place.run()
    assert place.waiting() == Backlog(accepted=30, waiting=20, open_segments=2, unclaimed={happenings.TYPE: 20})
    assert collect(place.workspace)["waiting"]["events"]["unclaimed"] == {happenings.TYPE: 20}
    place.switch(on=True)
    place.run()
    assert place.waiting() == Backlog(accepted=30)
    assert place.in_lake() == list(range(30))


@pytest.mark.slow
def test_events_wait_for_another_source_when_theirs_has_another_type(place: Place) -> None:
    place.push(range(10))
    place.run()
    place.push(range(10, 15))
    place.declare(happenings.TYPE, OTHER)
    place.push(range(20, 30), OTHER)
    place.run()
    assert place.waiting() == Backlog(accepted=25, waiting=5, open_segments=1, unclaimed={happenings.TYPE: 5})
    assert place.in_lake() == [*range(10), *range(20, 30)], "what the source had of the former type stays"
    place.declare(OTHER, happenings.TYPE)
    place.run()
    assert place.in_lake() == [*range(15), *range(20, 30)]


@pytest.mark.slow
def test_a_source_under_another_name_takes_all_events_of_its_type(place: Place) -> None:
    place.push(range(10))
    place.run()
    sources = place.folder / "pack" / "sources"
    (sources / "fairs.yml").write_text((sources / "happenings.yml").read_text().replace("id: happenings", "id: fairs", 1))
    (sources / "happenings.yml").unlink()
    place.run()
    assert place.in_lake("fairs") == list(range(10))


@pytest.mark.slow
def test_events_are_taken_up_again_when_the_states_of_the_sources_come_from_a_backup(place: Place) -> None:
    place.push(range(5))
    place.run()
    backup = place.workspace.fetch_state.read_bytes()
    place.push(range(5, 10))
    place.run()
    place.workspace.fetch_state.write_bytes(backup)
    place.run()
    assert place.in_lake() == list(range(10))


def test_a_record_that_cannot_be_read_is_quarantined_alone(place: Place) -> None:
    """Receivers of earlier versions accepted such records."""
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    records = [happenings.event(number)["data"] for number in range(20)]
    records[3] |= {"deep": deep}
    records[9] |= {f"k{n}": n for n in range(6_000)}
    with Queue(place.workspace.queue) as queue:
        stored = [
            CloudEvent("urn:town", str(n), happenings.TYPE, "2024-05-01T00:00:00.000000Z", "", json.dumps(r)) for n, r in enumerate(records)
        ]
        queue.put(stored, datetime.now(UTC))
    place.run()
    assert place.in_lake() == [n for n in range(20) if n not in (3, 9)]
    refused = quarantine_frame(place.workspace, "happenings")
    assert sorted(reason.split(";")[0] for reason in refused["reason"]) == ["more than 5000 different keys", "nested more than 32 deep"]


def test_a_day_whose_records_were_all_replaced_has_no_rows(tmp_path: Path) -> None:
    path, options = tmp_path / "day", ReadOptions(format="schema-org-events")
    path.write_bytes(b"[\n\n]\n")
    assert pushed.read_records(lambda file: readers.read(file, options, None), path).height == 0


@pytest.mark.slow
def test_records_with_keys_of_their_own_do_not_make_a_column_each(tmp_path: Path) -> None:
    """Each of them can be read, and together they would have 8,000 columns."""
    path, options = tmp_path / "day", ReadOptions(format="json")
    path.write_bytes(b"[\n" + b",\n".join(json.dumps({f"{n}-{key}": 1 for key in range(2_000)}).encode() for n in range(4)) + b"\n]\n")
    rows = pushed.read_records(lambda file: readers.read(file, options, None), path)
    assert rows["__fault"].to_list() == [None, None, *["more than 5000 different keys in the records of a day"] * 2]
    assert rows["__row"].to_list() == [1, 2, 3, 4]
    assert rows.width < 4_100


@pytest.mark.slow
def test_days_with_columns_of_their_own_are_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_COLUMNS", 40)
    place.declare("into: events", "key: [id]\ninto: events")
    events = [happenings.event(number) for number in range(5)]
    for number, event in enumerate(events):
        event["data"] |= {f"{number}-{key}": 1 for key in range(10)}
    happenings.push(place.workspace.queue, events)
    place.run()
    fetch_sources(place.workspace)
    report = Ingest(place.workspace).run()["happenings"]
    assert len(report.parts) == 3
    assert {text.partition(": ")[2] for text in report.errors.values()} == {"with it, the source has more than 40 different columns"}


def test_a_record_on_which_ignore_fails_is_quarantined_alone(place: Place) -> None:
    place.declare("read: {format: json}", """read: {format: json, ignore: "cast(size as integer) = 0"}""")
    records = [happenings.event(number)["data"] for number in range(5)]
    for record, size in zip(records, ("0", "1", "many", "2", "3"), strict=True):
        record["size"] = size
    with Queue(place.workspace.queue) as queue:
        stored = [
            CloudEvent("urn:town", str(n), happenings.TYPE, "2024-05-01T00:00:00.000000Z", "", json.dumps(r)) for n, r in enumerate(records)
        ]
        stored.append(
            CloudEvent("urn:town", "9", happenings.TYPE, "2024-05-02T00:00:00.000000Z", "", json.dumps(happenings.event(9)["data"]))
        )
        queue.put(stored, datetime.now(UTC))
    place.run()
    assert place.in_lake() == [1, 3, 4, 9]
    [reason] = quarantine_frame(place.workspace, "happenings")["reason"]
    assert reason.startswith("read.ignore: Conversion Error: Could not convert string 'many' to INT32")
