"""What is remembered of a source between runs: the breaker that pauses a failing server, and the content at earlier times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.state import StateError
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


class TestBreaker:
    def test_opens_after_failures_and_half_opens_later(self, server: Server, pack: Pack, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(404)]
        for i in range(3):
            assert "answered 404" in (fetch_areas(pack, tmp_path, i).error or "")
        assert len(server.requests) == 3
        skipped = fetch_areas(pack, tmp_path, 5 * MINUTE)
        assert "answered 404" in (skipped.error or "")
        assert "next attempt not before" in (skipped.error or "")
        assert len(server.requests) == 3
        assert "answered 404" in (
            fetch_areas(pack, tmp_path, 16 * MINUTE).error or ""
        )  # half-open: one attempt, then a pause twice as long
        assert len(server.requests) == 4
        assert not fetch_areas(pack, tmp_path, 40 * MINUTE).attempted
        server.replies["/a.csv"] = [Reply(200, BODY)]
        assert fetch_areas(pack, tmp_path, 47 * MINUTE).error is None
        assert SourceStates(WorkspaceFolder(tmp_path / "home").fetch_state).get("areas", "").failures == 0

    def test_is_ignored_for_a_named_source(self, server: Server, pack: Pack, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(404)]
        for i in range(3):
            fetch_areas(pack, tmp_path, i)
        server.replies["/a.csv"] = [Reply(200, BODY)]
        assert fetch_areas(pack, tmp_path, 4, {"areas"}).error is None

    def test_follows_retry_after_up_to_a_day(self, server: Server, pack: Pack, tmp_path: Path) -> None:
        server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "7200"})]
        assert fetch_areas(pack, tmp_path, 0).retry_after == 7200
        assert not fetch_areas(pack, tmp_path, 60 * MINUTE).attempted
        server.replies["/a.csv"] = [Reply(429, b"", {"Retry-After": "99999999"})]
        assert fetch_areas(pack, tmp_path, 121 * MINUTE).attempted
        server.replies["/a.csv"] = [Reply(200, BODY)]
        assert fetch_areas(pack, tmp_path, (121 + 25 * 60) * MINUTE).error is None

    def test_does_not_apply_to_files_of_the_pack(self, tmp_path: Path) -> None:
        declared = five_places.AREAS.replace("{url: data/areas.csv}", "{url: data/later.csv}")
        pack = packs.load(five_places.write(tmp_path / "pack", sources__areas_yml=declared))
        for i in range(6):
            assert "no such file" in (fetch_areas(pack, tmp_path, i).error or "")
        (tmp_path / "pack" / "data" / "later.csv").write_bytes(BODY)
        assert fetch_areas(pack, tmp_path, 7).error is None


class TestSourceState:
    def test_content_at_returns_the_newest_content_of_a_time(self, server: Server, pack: Pack, tmp_path: Path) -> None:
        contents = [BODY, BODY + b"2,Birch\n", BODY]
        for day, content in enumerate(contents):
            server.replies["/a.csv"] = [Reply(200, content)]
            assert fetch_areas(pack, tmp_path, day * 24 * 60 * MINUTE).error is None
        state = SourceStates(WorkspaceFolder(tmp_path / "home").fetch_state).get("areas", "")
        first, second, third = (sha for _, sha in state.history)
        assert first == third != second
        assert state.content_at("2025-10-08T00:00:00Z") == ""
        assert [state.content_at(f"2025-10-{day:02}T12:00:00Z") for day in (9, 10, 11, 30)] == [first, second, first, first]


class TestSourceStates:
    def test_reads_files_of_other_versions(self, tmp_path: Path) -> None:
        path = tmp_path / "fetches.json"
        stored = {"sha256": "ab", "good": "cd", "checked_at": "2024-05-01T10:00:00Z", "history": [["2024-05-01T10:00:00Z", "ab"]]}
        path.write_text(json.dumps({"people": {"year=2021": {**stored, "key_of_a_later_version": 1}}}))
        states = SourceStates(path)
        state = states.get("people", "year=2021")
        assert (state.sha256, state.good, state.origin, state.failures, state.stale_since) == ("ab", "cd", "", 0, None)
        assert state.content_at("2024-05-02T00:00:00Z") == "ab"
        states.save()
        assert json.loads(path.read_text())["people"]["year=2021"].items() >= stored.items()
        assert SourceStates(path).get("people", "year=2021") == state

    @pytest.mark.parametrize("text", ["{", "[]", '{"people": {"": {"bytes": "many"}}}'])
    def test_reports_a_damaged_file(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "fetches.json"
        path.write_text(text)
        with pytest.raises(StateError, match=r"fetches\.json: damaged"):
            SourceStates(path)
