"""Looking at sources: what is due is asked, only new content starts a run, and a catalogue's own word is believed item by item."""

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
from pipelines.extract.polling import Cursor, Look
from pipelines.extract.source_state import States
from pipelines.packs import Pack
from pipelines.packs.schema import Fetch
from pipelines.packs.workspace import Workspace
from tests.support import five_places
from tests.support.command import SHARED
from tests.support.server import Asked, Reply, Server, serving

HUB = SHARED / "data" / "recorded" / "catalogues" / "krhk_arcgis_hub"
QUICK = Limits(backoff=0, retries=0, silence=2, patience=0, per_second=10_000, per_host=6)


def at(time: str) -> Settings:
    moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
    return Settings(SOURCE_DATE_EPOCH=int(moment.timestamp()), allow_hosts="127.0.0.1")


class Place:
    """A pack whose sources come from a server on loopback, and its home."""

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

    def look(self, time: str, taken_up: bool = True) -> Look:
        """Look, and, as the run would, take up what is new."""
        found = polling.look(Workspace(self.home.root, at(time), pack=self.pack), self.cursor, QUICK)
        self.cursor = Cursor.parse(found.cursor.text())
        states = States(self.home.fetch_state)
        for name in found.changed if taken_up else ():
            for part, state in states.of(name).items():
                states.put(name, part, replace(state, good=state.sha256))
        states.save()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving() as server:
        yield Place(tmp_path, server)


def rows(persons: int) -> Reply:
    return Reply(body=f"code,sex,persons\na1,M,{persons}\n".encode())


def test_only_new_content_of_a_source_that_is_due_starts_a_run(place: Place) -> None:
    place.source("people", url=f"{place.server.url}/people.csv")
    place.server.replies["/people.csv"] = [rows(1), rows(1), rows(2)]
    assert set(place.look("2024-05-01T10:00").changed) == {"areas", "people"}
    assert place.look("2024-05-01T10:01").asked == []
    assert place.look("2024-05-02T05:59").asked == ["areas"], "without a cadence every day at 5"
    second = place.look("2024-05-02T06:00")
    assert (second.asked, second.changed) == (["people"], {})
    assert set(place.look("2024-05-03T06:00").changed) == {"people"}


def test_the_cadence_is_in_the_time_zone_of_the_pack(place: Place) -> None:
    place.pack.file = place.pack.file.model_copy(update={"timezone": "Europe/Prague"})
    place.source("people", url=f"{place.server.url}/people.csv")
    place.server.replies["/people.csv"] = [rows(1)]
    place.look("2024-07-01T10:00")
    assert "people" not in place.look("2024-07-02T03:59").asked
    assert "people" in place.look("2024-07-02T04:00").asked


def test_a_failed_fetch_does_not_advance_and_is_asked_again(place: Place) -> None:
    place.source("people", url=f"{place.server.url}/people.csv")
    place.server.replies["/people.csv"] = [Reply(500), rows(1)]
    first = place.look("2024-05-01T10:00")
    assert list(first.failed) == ["people"]
    assert set(first.changed) == {"areas"}
    assert "people" not in place.cursor.looked
    assert set(place.look("2024-05-01T10:01").changed) == {"people"}


def test_the_key_of_a_run_is_source_content_and_code(place: Place) -> None:
    place.source("people", url=f"{place.server.url}/people.csv")
    place.server.replies["/people.csv"] = [rows(1), rows(2), rows(1)]
    keys = [place.look(f"2024-05-0{day}T10:00").changed["people"] for day in (1, 2, 3)]
    source, content, _code = keys[0].split(":")
    assert (source, len(content)) == ("people", 64)
    assert keys[2] == f"{keys[0]}:2", "content that comes back is not taken for what was done"
    assert len(set(keys)) == 3


def test_a_run_that_never_came_is_asked_for_again_after_an_hour(place: Place) -> None:
    place.source("people", url=f"{place.server.url}/people.csv", cadence="*/10 * * * *")
    place.server.replies["/people.csv"] = [rows(1)]
    first = place.look("2024-05-01T10:00", taken_up=False).changed["people"]
    assert "people" not in place.look("2024-05-01T10:10", taken_up=False).changed
    again = place.look("2024-05-01T11:00", taken_up=False).changed["people"]
    assert again.startswith(f"{first}+")


def test_other_declarations_have_everything_taken_up_again_once(place: Place) -> None:
    place.source("people", url=f"{place.server.url}/people.csv")
    place.server.replies["/people.csv"] = [rows(1)]
    place.look("2024-05-01T10:00")
    place.source("people", url=f"{place.server.url}/people.csv", rate=3.0)  # as after a restart with another pack
    place.pack.__dict__.pop("digest", None)
    assert polling.is_due(place.pack, place.cursor, at("2024-05-01T10:01").now())
    found = place.look("2024-05-01T10:01")
    assert (set(found.changed), found.asked) == ({"areas", "people"}, [])
    assert place.look("2024-05-01T10:02").changed == {}


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "null", '{"version": 0, "looked": {"people": "2030-01-01T00:00:00Z"}}', '{"version": 1, "looked": {"people": 7}}']
)  # fmt: skip
def test_a_cursor_that_cannot_be_read_has_everything_looked_at_and_nothing_started_twice(place: Place, text: str | None) -> None:
    place.source("people", url=f"{place.server.url}/people.csv")
    place.server.replies["/people.csv"] = [rows(1)]
    place.look("2024-05-01T10:00")
    place.cursor = Cursor.parse(text)
    again = place.look("2024-05-01T10:01")
    assert (again.asked, again.changed) == (["areas", "people"], {})


@pytest.mark.parametrize("form", ["json", "tsv"])
def test_a_list_of_data_sets_is_asked_once_and_only_what_it_says_has_changed_is_fetched(place: Place, form: str) -> None:
    changed = {"a": "2024-01-01", "b": "2024-01-01", "c": "2024-01-01"}

    def listed(_: Asked) -> Reply:
        if form == "json":
            return Reply(body=json.dumps({"result": [{"code": k, "last update": v} for k, v in changed.items()]}).encode())
        return Reply(body="".join(["code\tlast update\n", *(f"{k}\t{v}\n" for k, v in changed.items())]).encode())

    place.server.routes["/toc"] = listed
    for name in changed:
        catalogue = {"url": f"{place.server.url}/toc", "format": form, "id": "code", "changed": "last update", "item": name}
        place.source(name, url=f"{place.server.url}/{name}.csv", catalogue=catalogue | ({"records": "/result"} if form == "json" else {}))
        place.server.replies[f"/{name}.csv"] = [rows(1), rows(2)]
    assert set(place.look("2024-05-01T10:00").changed) == {"areas", *changed}
    place.server.asked.clear()
    changed["b"] = "2024-05-02"
    del changed["c"]
    found = place.look("2024-05-02T10:00")
    assert set(found.changed) == {"b"}
    assert list(found.failed) == ["c"]
    assert sorted(path for path, _ in place.server.asked) == ["/b.csv", "/toc"]


def _hub(date: str, url: str) -> dict[str, Any]:
    """Return a recorded feed, its items' files being on the server at `url`."""
    feed: dict[str, Any] = json.loads((HUB / f"{date}.arcgis.json").read_bytes())
    for number, item in enumerate(feed["dataset"]):
        item["distribution"] = [{"title": "CSV", "format": "CSV", "downloadURL": f"{url}/file/{number}?{item['modified']}"}]
    return feed


@pytest.mark.slow
@pytest.mark.skipif(not HUB.is_dir(), reason="the recorded feeds are not there")
def test_of_three_dated_feeds_exactly_the_items_that_changed_start_work(place: Place) -> None:
    dates = ("2024-10-09", "2025-04-12", "2025-09-03")
    feeds = {date: _hub(date, place.server.url) for date in dates}
    items = {date: {i["identifier"]: i["modified"] for i in feed["dataset"]} for date, feed in feeds.items()}
    names = {identifier: f"item_{n}" for n, identifier in enumerate(sorted(set().union(*items.values())))}
    place.source("feed", url=f"{place.server.url}/feed", protocol="arcgis")
    place.pack.sources["feed"] = place.pack.sources["feed"].model_copy(
        update={"read": place.template.read.model_copy(update={"format": "json", "records": "/dataset"})}
    )
    for identifier, name in names.items():
        place.source(name, url=f"{place.server.url}/feed", protocol="arcgis", dataset=identifier)
    served: dict[str, bytes] = {}
    place.server.routes["/feed"] = lambda _: Reply(body=served["feed"])

    def file(asked: Asked) -> Reply:
        return Reply(body=f"code,sex,persons\na1,M,1\n# {asked.path} {asked.query}\n".encode())

    for number in range(max(len(feed["dataset"]) for feed in feeds.values())):
        place.server.routes[f"/file/{number}"] = file
    before: dict[str, str] = {}
    for date in dates:
        served["feed"] = json.dumps(feeds[date]).encode()
        place.server.asked.clear()
        found = place.look(f"{date}T10:00")
        now = items[date]
        added_or_modified = {names[i] for i in now if before.get(i) != now[i]}
        assert set(found.changed) - {"areas"} == {"feed"} | added_or_modified
        assert set(found.failed) == {name for i, name in names.items() if i not in now}, "a removed item makes its source stale"
        paths = [path for path, _ in place.server.asked]
        assert paths.count("/feed") == 2, "once as the source that it is, once for all the items in it"
        assert len(paths) == 2 + len(added_or_modified)
        before = now
    expected = [(97, 0, 0), (464, 2, 17), (45, 2, 5)]  # added, removed, modified: counted from the files by other means
    for (a, b), (added, removed, modified) in zip([("", dates[0]), *itertools.pairwise(dates)], expected, strict=True):
        old, new = items[a] if a else {}, items[b]
        assert (len(new.keys() - old.keys()), len(old.keys() - new.keys()), sum(old[k] != new[k] for k in old.keys() & new.keys())) == (
            added, removed, modified,
        )  # fmt: skip
    assert place.look("2025-09-04T10:00").changed == {}, "a replay starts nothing"
    shuffled = feeds[dates[-1]]
    shuffled["dataset"].reverse()
    shuffled["generated"] = "today"
    served["feed"] = json.dumps(shuffled, indent=1).encode()
    assert place.look("2025-09-05T10:00").changed == {}, "other bytes of the same items start nothing"
