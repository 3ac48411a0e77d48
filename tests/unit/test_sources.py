"""What is remembered of a source between runs: the breaker that leaves a failing server alone, and what was known when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.fetching import fetch_sources
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer
from pipelines.extract.source_state import States
from pipelines.packs import Pack
from pipelines.packs.workspace import Workspace
from tests.support import five_places
from tests.support.server import Reply, Server, serving

MINUTE = 60
START = 1_760_000_000
BODY = b"code,name\n1,Alder\n"
GIVEN_UP_AT_ONCE = Limits(retries=0, backoff=0)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def pack(server: Server, tmp_path: Path) -> Pack:
    declared = five_places.AREAS.replace("{url: data/areas.csv}", f'{{url: "{server.url}/a.csv"}}')
    return packs.load(five_places.write(tmp_path / "pack", sources__areas_yml=declared))


def look(pack: Pack, folder: Path, seconds: int, only: set[str] | None = None) -> Answer:
    """Fetch the sources at START + `seconds`; return the answer of the areas."""
    settings = Settings(allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=START + seconds)
    answers = fetch_sources(Workspace(folder / "home", settings, pack=pack), only, limits=GIVEN_UP_AT_ONCE)
    return next(a for a in answers if a.request.source.id == "areas")


def test_a_source_that_fails_again_and_again_is_left_alone_and_tried_once_after_a_while(server: Server, pack: Pack, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(404)]
    for i in range(3):
        assert "answered 404" in (look(pack, tmp_path, i).error or "")
    assert len(server.asked) == 3
    left = look(pack, tmp_path, 5 * MINUTE)
    assert "answered 404" in (left.error or "")
    assert "not asked again before" in (left.error or "")
    assert len(server.asked) == 3
    assert "answered 404" in (look(pack, tmp_path, 16 * MINUTE).error or "")  # half open: one question, and closed for twice as long
    assert len(server.asked) == 4
    assert not look(pack, tmp_path, 40 * MINUTE).asked
    server.replies["/a.csv"] = [Reply(200, BODY)]
    assert look(pack, tmp_path, 47 * MINUTE).error is None
    assert States(WorkspaceFolder(tmp_path / "home").fetch_state).get("areas", "").failures == 0


def test_an_operator_who_names_the_source_is_not_kept_waiting(server: Server, pack: Pack, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(404)]
    for i in range(3):
        look(pack, tmp_path, i)
    server.replies["/a.csv"] = [Reply(200, BODY)]
    assert look(pack, tmp_path, 4, {"areas"}).error is None


def test_a_server_that_says_when_to_come_back_is_believed_up_to_a_day(server: Server, pack: Pack, tmp_path: Path) -> None:
    server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "7200"})]
    assert look(pack, tmp_path, 0).wait == 7200
    assert not look(pack, tmp_path, 60 * MINUTE).asked
    server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "99999999"})]
    assert look(pack, tmp_path, 121 * MINUTE).asked
    server.replies["/a.csv"] = [Reply(200, BODY)]
    assert look(pack, tmp_path, (121 + 25 * 60) * MINUTE).error is None


def test_a_file_of_the_pack_is_looked_at_every_time(tmp_path: Path) -> None:
    declared = five_places.AREAS.replace("{url: data/areas.csv}", "{url: data/later.csv}")
    pack = packs.load(five_places.write(tmp_path / "pack", sources__areas_yml=declared))
    for i in range(6):
        assert "no such file" in (look(pack, tmp_path, i).error or "")
    (tmp_path / "pack" / "data" / "later.csv").write_bytes(BODY)
    assert look(pack, tmp_path, 7).error is None


def test_what_was_the_newest_at_a_time_is_known(server: Server, pack: Pack, tmp_path: Path) -> None:
    contents = [BODY, BODY + b"2,Birch\n", BODY]
    for day, content in enumerate(contents):
        server.replies["/a.csv"] = [Reply(200, content)]
        assert look(pack, tmp_path, day * 24 * 60 * MINUTE).error is None
    state = States(WorkspaceFolder(tmp_path / "home").fetch_state).get("areas", "")
    first, second, third = (sha for _, sha in state.history)
    assert first == third != second
    assert state.at("2025-10-08T00:00:00Z") == ""
    assert [state.at(f"2025-10-{day:02}T12:00:00Z") for day in (9, 10, 11, 30)] == [first, second, first, first]
