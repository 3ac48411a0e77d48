"""What is remembered of a source between runs: the breaker that pauses a failing server, and the content at earlier times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.packs import Pack
from pipelines.packs.workspace import Workspace
from tests.support import five_places
from tests.support.server import Reply, Server, serving

MINUTE = 60
START = 1_760_000_000
BODY = b"code,name\n1,Alder\n"
NO_RETRIES = Limits(retries=0, backoff=0)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def pack(server: Server, tmp_path: Path) -> Pack:
    declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{server.url}/a.csv"}}')
    return packs.load(five_places.write(tmp_path / "pack", sources__areas_yml=declared))


def fetch_areas(pack: Pack, folder: Path, seconds: int, only: set[str] | None = None) -> FetchResult:
    """Fetch the sources at START + `seconds`; return the result of the areas."""
    settings = Settings(allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=START + seconds)
    results = fetch_sources(Workspace(folder / "home", settings, pack=pack), only, limits=NO_RETRIES)
    return next(r for r in results if r.request.source.id == "areas")


def test_a_source_that_fails_again_and_again_is_left_alone_and_tried_once_after_a_while(server: Server, pack: Pack, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(404)]
    for i in range(3):
        assert "answered 404" in (fetch_areas(pack, tmp_path, i).error or "")
    assert len(server.requests) == 3
    skipped = fetch_areas(pack, tmp_path, 5 * MINUTE)
    assert "answered 404" in (skipped.error or "")
    assert "next attempt not before" in (skipped.error or "")
    assert len(server.requests) == 3
    assert "answered 404" in (fetch_areas(pack, tmp_path, 16 * MINUTE).error or "")  # half-open: one attempt, then a pause twice as long
    assert len(server.requests) == 4
    assert not fetch_areas(pack, tmp_path, 40 * MINUTE).attempted
    server.replies["/a.csv"] = [Reply(200, BODY)]
    assert fetch_areas(pack, tmp_path, 47 * MINUTE).error is None
    assert SourceStates(WorkspaceFolder(tmp_path / "home").fetch_state).get("areas", "").failures == 0


def test_an_operator_who_names_the_source_is_not_kept_waiting(server: Server, pack: Pack, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(404)]
    for i in range(3):
        fetch_areas(pack, tmp_path, i)
    server.replies["/a.csv"] = [Reply(200, BODY)]
    assert fetch_areas(pack, tmp_path, 4, {"areas"}).error is None


def test_a_server_that_says_when_to_come_back_is_believed_up_to_a_day(server: Server, pack: Pack, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "7200"})]
    assert fetch_areas(pack, tmp_path, 0).retry_after == 7200
    assert not fetch_areas(pack, tmp_path, 60 * MINUTE).attempted
    server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "99999999"})]
    assert fetch_areas(pack, tmp_path, 121 * MINUTE).attempted
    server.replies["/a.csv"] = [Reply(200, BODY)]
    assert fetch_areas(pack, tmp_path, (121 + 25 * 60) * MINUTE).error is None


def test_a_file_of_the_pack_is_looked_at_every_time(tmp_path: Path) -> None:
    declared = five_places.AREAS.replace("{url: data/areas.csv}", "{url: data/later.csv}")
    pack = packs.load(five_places.write(tmp_path / "pack", sources__areas_yml=declared))
    for i in range(6):
        assert "no such file" in (fetch_areas(pack, tmp_path, i).error or "")
    (tmp_path / "pack" / "data" / "later.csv").write_bytes(BODY)
    assert fetch_areas(pack, tmp_path, 7).error is None


def test_what_was_the_newest_at_a_time_is_known(server: Server, pack: Pack, tmp_path: Path) -> None:
    contents = [BODY, BODY + b"2,Birch\n", BODY]
    for day, content in enumerate(contents):
        server.replies["/a.csv"] = [Reply(200, content)]
        assert fetch_areas(pack, tmp_path, day * 24 * 60 * MINUTE).error is None
    state = SourceStates(WorkspaceFolder(tmp_path / "home").fetch_state).get("areas", "")
    first, second, third = (sha for _, sha in state.history)
    assert first == third != second
    assert state.content_at("2025-10-08T00:00:00Z") == ""
    assert [state.content_at(f"2025-10-{day:02}T12:00:00Z") for day in (9, 10, 11, 30)] == [first, second, first, first]
