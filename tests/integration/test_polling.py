"""Polling: due sources are fetched, only new content starts a run, and a catalogue decides for each of its items."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import polling
from pipelines.extract.http.limits import Limits
from pipelines.extract.polling import Cursor, PollResult
from pipelines.extract.source_state import SourceStates
from pipelines.packs import Pack
from pipelines.packs.schema import Fetch
from pipelines.packs.workspace import Workspace
from tests.support import five_places
from tests.support.command import SHARED
from tests.support.server import HttpRequest, Reply, Server, serving

HUB = SHARED / "data" / "recorded" / "catalogues" / "krhk_arcgis_hub"
QUICK = Limits(backoff=0, retries=0, read_timeout=2, max_retry_after=0, per_second=10_000, per_host=6)


def at(time: str) -> Settings:
    moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
    return Settings(SOURCE_DATE_EPOCH=int(moment.timestamp()), allow_hosts="127.0.0.1")


class Place:
    """A pack whose sources are on a server on loopback, and its home."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.pack: Pack = packs.load(five_places.write(folder / "pack"))
        self.template = self.pack.sources.pop("people")
        self.home = WorkspaceFolder(folder / "home")
        self.home.claim(self.pack.id)
        self.server = server
        self.cursor = Cursor()

    def source(self, name: str, **fetch: Any) -> None:
        declared = Fetch.model_validate({"cadence": "0 6 * * *", **fetch})
        self.pack.sources[name] = self.template.model_copy(update={"id": name, "fetch": declared})

    def poll(self, time: str, run: bool = True) -> PollResult:
        """Poll and, with `run`, mark the new content as processed, as a run would."""
        result = polling.poll(Workspace(self.home.root, at(time), pack=self.pack), self.cursor, QUICK)
        self.cursor = Cursor.parse(result.cursor.text())
        states = SourceStates(self.home.fetch_state)
        for name in result.changed if run else ():
            for part, state in states.parts(name).items():
                states.put(name, part, replace(state, good=state.sha256))
        states.save()
        return result


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving() as server:
        yield Place(tmp_path, server)


def rows(persons: int) -> Reply:
    return Reply(body=f"code,sex,persons\na1,M,{persons}\n".encode())


class TestCursor:
    def test_reads_what_earlier_versions_wrote(self) -> None:
        text = (
            '{"version": 1, "looked": {"people": "2024-05-01T10:00:00Z"}, '
            '"requested": {"people": ["people:ab:lake1", "2024-05-01T10:00:00Z"]}, "made_by": "cd"}'
        )
        cursor = Cursor.parse(text)
        assert cursor.polled == {"people": "2024-05-01T10:00:00Z"}
        assert json.loads(cursor.text()) == {"version": 1, "looked": {"people": "2024-05-01T10:00:00Z"}}

    @pytest.mark.parametrize(
        "text",
        [
            None,
            "",
            "{",
            "[]",
            "null",
            '{"version": 0, "looked": {"people": "2030-01-01T00:00:00Z"}}',
            '{"version": 1, "looked": {"people": 7}}',
        ],
    )
    def test_unreadable_cursor_polls_all_sources(self, place: Place, text: str | None) -> None:
        place.source("people", url=f"{place.server.url}/people.csv")
        place.server.replies["/people.csv"] = [rows(1)]
        place.poll("2024-05-01T10:00")
        place.cursor = Cursor.parse(text)
        again = place.poll("2024-05-01T10:01")
        assert (again.polled, again.changed) == (["areas", "people"], frozenset())


def _hub(date: str, url: str) -> dict[str, Any]:
    """Return a recorded feed whose items have their files on the server at `url`."""
    feed: dict[str, Any] = json.loads((HUB / f"{date}.arcgis.json").read_bytes())
    for number, item in enumerate(feed["dataset"]):
        item["distribution"] = [{"title": "CSV", "format": "CSV", "downloadURL": f"{url}/file/{number}?{item['modified']}"}]
    return feed


class TestPoll:
    def test_requests_runs_only_for_new_content(self, place: Place) -> None:
        place.source("people", url=f"{place.server.url}/people.csv")
        place.server.replies["/people.csv"] = [rows(1), rows(1), rows(2)]
        assert place.poll("2024-05-01T10:00").changed == {"areas", "people"}
        assert place.poll("2024-05-01T10:01").polled == []
        assert place.poll("2024-05-02T05:59").polled == ["areas"], "without a cadence, every day at 5"
        second = place.poll("2024-05-02T06:00")
        assert (second.polled, second.changed) == (["people"], frozenset())
        assert place.poll("2024-05-03T06:00").changed == {"people"}

    def test_uses_the_time_zone_of_the_pack(self, place: Place) -> None:
        place.pack.file = place.pack.file.model_copy(update={"timezone": "Europe/Prague"})
        place.source("people", url=f"{place.server.url}/people.csv")
        place.server.replies["/people.csv"] = [rows(1)]
        place.poll("2024-07-01T10:00")
        assert "people" not in place.poll("2024-07-02T03:59").polled
        assert "people" in place.poll("2024-07-02T04:00").polled

    def test_keeps_cursor_when_a_part_fails(self, place: Place) -> None:
        place.source("people", url=f"{place.server.url}/people.csv")
        place.server.replies["/people.csv"] = [Reply(500), rows(1)]
        first = place.poll("2024-05-01T10:00")
        assert list(first.failed) == ["people"]
        assert first.changed == {"areas"}
        assert "people" not in place.cursor.polled
        assert place.poll("2024-05-01T10:01").changed == {"people"}

    def test_reports_content_until_an_ingest_has_processed_it(self, place: Place) -> None:
        place.source("people", url=f"{place.server.url}/people.csv", cadence="*/10 * * * *")
        place.server.replies["/people.csv"] = [rows(1)]
        for minute in (0, 10):
            assert "people" in place.poll(f"2024-05-01T10:{minute:02d}", run=False).changed
        assert "people" in place.poll("2024-05-01T10:20").changed
        assert "people" not in place.poll("2024-05-01T10:30").changed

    def test_reports_content_that_reappears(self, place: Place) -> None:
        place.source("people", url=f"{place.server.url}/people.csv")
        place.server.replies["/people.csv"] = [rows(1), rows(2), rows(1)]
        assert all("people" in place.poll(f"2024-05-0{day}T10:00").changed for day in (1, 2, 3))

    @pytest.mark.parametrize("form", ["json", "tsv"])
    def test_fetches_a_catalogue_once_and_then_its_changed_items(self, place: Place, form: str) -> None:
        changed = {"a": "2024-01-01", "b": "2024-01-01", "c": "2024-01-01"}

        def listed(_: HttpRequest) -> Reply:
            if form == "json":
                return Reply(body=json.dumps({"result": [{"code": k, "last update": v} for k, v in changed.items()]}).encode())
            return Reply(body="".join(["code\tlast update\n", *(f"{k}\t{v}\n" for k, v in changed.items())]).encode())

        place.server.routes["/toc"] = listed
        for name in changed:
            catalogue = {"url": f"{place.server.url}/toc", "format": form, "id": "code", "changed": "last update", "item": name}
            place.source(
                name, url=f"{place.server.url}/{name}.csv", catalogue=catalogue | ({"records": "/result"} if form == "json" else {})
            )
            place.server.replies[f"/{name}.csv"] = [rows(1), rows(2)]
        assert place.poll("2024-05-01T10:00").changed == {"areas", *changed}
        place.server.requests.clear()
        changed["b"] = "2024-05-02"
        del changed["c"]
        result = place.poll("2024-05-02T10:00")
        assert result.changed == {"b"}
        assert list(result.failed) == ["c"]
        assert sorted(path for path, _ in place.server.requests) == ["/b.csv", "/toc"]

    @pytest.mark.slow
    @pytest.mark.skipif(not HUB.is_dir(), reason="there are no recorded feeds")
    def test_requests_the_changed_items_of_recorded_feeds(self, place: Place) -> None:
        dates = ("2024-10-09", "2025-04-12", "2025-09-03")
        feeds = {date: _hub(date, place.server.url) for date in dates}
        items = {date: {i["identifier"]: i["modified"] for i in feed["dataset"]} for date, feed in feeds.items()}
        changing = {i for old, new in itertools.pairwise(items.values()) for i in old if new.get(i) != old[i]}
        declared = sorted(changing.union(sorted(set().union(*items.values()))[::6]))  # a feed is read for each of its declared items
        names = {identifier: f"item_{n}" for n, identifier in enumerate(declared)}
        place.source("feed", url=f"{place.server.url}/feed", protocol="arcgis")
        place.pack.sources["feed"] = place.pack.sources["feed"].model_copy(
            update={"read": place.template.read.model_copy(update={"format": "json", "records": "/dataset"})}
        )
        for identifier, name in names.items():
            place.source(name, url=f"{place.server.url}/feed", protocol="arcgis", dataset=identifier)
        served: dict[str, bytes] = {}
        place.server.routes["/feed"] = lambda _: Reply(body=served["feed"])

        def file(request: HttpRequest) -> Reply:
            return Reply(body=f"code,sex,persons\na1,M,1\n# {request.path} {request.query}\n".encode())

        for number in range(max(len(feed["dataset"]) for feed in feeds.values())):
            place.server.routes[f"/file/{number}"] = file
        before: dict[str, str] = {}
        for date in dates:
            served["feed"] = json.dumps(feeds[date]).encode()
            place.server.requests.clear()
            result = place.poll(f"{date}T10:00")
            now = {i: modified for i, modified in items[date].items() if i in names}
            added_or_modified = {names[i] for i in now if before.get(i) != now[i]}
            assert result.changed - {"areas"} == {"feed"} | added_or_modified
            assert set(result.failed) == {name for i, name in names.items() if i not in now}, "a removed item makes its source stale"
            paths = [path for path, _ in place.server.requests]
            assert paths.count("/feed") == 2, "once as a source itself, once for all its items"
            assert len(paths) == 2 + len(added_or_modified)
            before = now
        expected = [(97, 0, 0), (464, 2, 17), (45, 2, 5)]  # added, removed, modified; counted from the files independently
        for (a, b), (added, removed, modified) in zip([("", dates[0]), *itertools.pairwise(dates)], expected, strict=True):
            old, new = items[a] if a else {}, items[b]
            assert (len(new.keys() - old.keys()), len(old.keys() - new.keys()), sum(old[k] != new[k] for k in old.keys() & new.keys())) == (
                added, removed, modified,
            )  # fmt: skip
        assert place.poll("2025-09-04T10:00").changed == frozenset(), "a replay starts nothing"
        shuffled = feeds[dates[-1]]
        shuffled["dataset"].reverse()
        shuffled["generated"] = "today"
        served["feed"] = json.dumps(shuffled, indent=1).encode()
        assert place.poll("2025-09-05T10:00").changed == frozenset(), "other bytes of the same items start nothing"
