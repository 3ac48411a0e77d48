"""Bytes that changed on the disk are never read: they are set aside, and fetched or made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipelines.core import checksums
from pipelines.core.settings import Settings
from pipelines.extract.restoring import restore_snapshots
from pipelines.extract.snapshots import Archive
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.manifest import Manifest
from pipelines.lake.store import Lake
from pipelines.packs.loading import load
from pipelines.packs.workspace import Workspace
from pipelines.warehouse import condition, scope
from tests.support import five_places
from tests.support.damage import damage
from tests.support.fetching import QUICK
from tests.support.server import HttpRequest, Reply, Server, serving

PEOPLE = five_places.PEOPLE.replace("data/people_{year}.csv", "URL/people_{year}.csv")


@pytest.fixture
def server() -> Iterator[Server]:
    """Serves the people of both years, and answers 304 to whoever has them."""

    def reply(request: HttpRequest) -> Reply:
        if request.headers.get("if-none-match") == '"1"':
            return Reply(304)
        body = five_places.PEOPLE_2020 if "2020" in request.path else five_places.PEOPLE_2021
        return Reply(200, body.encode(), {"ETag": '"1"', "Content-Type": "text/csv"})

    with serving() as server:
        server.routes = {"/people_2020.csv": reply, "/people_2021.csv": reply}
        yield server


@pytest.fixture
def workspace(server: Server, tmp_path: Path) -> Workspace:
    """A workspace that has fetched and processed both years."""
    five_places.write(tmp_path / "pack", sources__people_yml=PEOPLE.replace("URL", server.url))
    loaded = reloaded(tmp_path)
    loaded.open()
    fetch_sources(loaded, limits=QUICK)
    Ingest(loaded).run()
    return loaded


def reloaded(folder: Path) -> Workspace:
    return Workspace(folder / "home", Settings(allow_hosts="127.0.0.1"), pack=load(folder / "pack"))


def redeclared(folder: Path) -> Workspace:
    """Return the workspace after a change of the declaration with which its snapshots are read again."""
    path = folder / "pack" / "sources" / "people.yml"
    path.write_text(path.read_text().replace("min: 0", "min: -1"))
    return reloaded(folder)


def blob(workspace: Workspace) -> Path:
    state = SourceStates(workspace.fetch_state).get("people", "year=2020")
    return Archive(workspace.archive).path(state.sha256)


def observed(workspace: Workspace) -> list[tuple[object, ...]]:
    files = Manifest.current(workspace).files["observations"]
    rows = pl.concat([Lake(workspace.lake).read(f) for f in files if f.rows])
    return sorted(rows.select("ref_area", "time_period", "sex", "obs_value").rows())


class TestArchive:
    def test_damaged_snapshot_is_fetched_again_without_conditions(self, workspace: Workspace, server: Server, tmp_path: Path) -> None:
        before = observed(workspace)
        damage(blob(workspace), five_places.PEOPLE_2020.index("10"))
        again = redeclared(tmp_path)
        fetch_sources(again, limits=QUICK)
        ingest = Ingest(again)
        reports = ingest.run()
        assert ingest.damaged == {("people", "year=2020")}
        assert "do not have the checksum" in reports["people"].errors["year=2020"]
        assert blob(again).with_name(blob(again).name + checksums.DAMAGED).is_file()

        lines = restore_snapshots(again, ingest.damaged)
        assert lines == ["the snapshot of people year=2020 was damaged on the disk, and was fetched again"]
        assert "if-none-match" not in [headers for path, headers in server.requests if path == "/people_2020.csv"][-1]
        reports = Ingest(again).run()
        assert (reports["people"].errors, reports["people"].stale_since) == ({}, None)
        assert observed(again) == before

    @pytest.mark.slow
    def test_part_is_down_while_its_server_is(self, workspace: Workspace, server: Server, tmp_path: Path) -> None:
        damage(blob(workspace), five_places.PEOPLE_2020.index("10"))
        again = redeclared(tmp_path)
        ingest = Ingest(again)
        ingest.run()
        server.routes["/people_2020.csv"] = lambda _: Reply(500)
        (line,) = restore_snapshots(again, ingest.damaged)
        assert "could not be fetched again" in line
        report = Ingest(again).run()["people"]
        assert report.down
        assert "500" in report.errors["year=2020"]
        assert {period for _, period, *_ in observed(again)} == {"2021"}

    def test_same_bytes_fetched_again_replace_damaged_ones(self, tmp_path: Path) -> None:
        loaded = Workspace(tmp_path / "home", Settings(), pack=load(five_places.write(tmp_path / "pack")))
        loaded.open()
        fetch_sources(loaded)
        state = SourceStates(loaded.fetch_state).get("areas", "")
        path = Archive(loaded.archive).path(state.sha256)
        damage(path, 5)
        fetch_sources(loaded)
        assert path.read_text() == five_places.AREAS_CSV


class TestLake:
    def test_damaged_file_is_made_again_from_the_archive(self, workspace: Workspace) -> None:
        before, manifest = observed(workspace), Manifest.current(workspace).digest
        path = next((workspace.lake / "observations" / "people").rglob("*.parquet"))
        damage(path, path.stat().st_size // 2)
        ingest = Ingest(workspace)
        ingest.run()
        assert ingest.rebuilt_files == [str(path.relative_to(workspace.lake))]
        assert observed(workspace) == before
        assert Manifest.current(workspace).digest == manifest

    def test_damaged_file_without_rows_is_written_again(self, workspace: Workspace) -> None:
        path = workspace.lake / "events" / "none.parquet"
        content = path.read_bytes()
        damage(path, len(content) // 2)
        Ingest(workspace).run()
        assert path.read_bytes() == content

    def test_damaged_file_is_read_by_nobody(self, workspace: Workspace) -> None:
        path = next((workspace.lake / "observations" / "people").rglob("*.parquet"))
        damage(path, path.stat().st_size // 2)
        with pytest.raises(checksums.DamagedFile, match="remove it, and the next `zpo2 run` makes it again"):
            observed(workspace)
        with pytest.raises(scope.ScopeError, match="missing or damaged on the disk"):
            scope.begin(workspace, 2**28)
        assert condition.lost_files(workspace, Manifest.current(workspace)) == [str(path.relative_to(workspace.lake))]
        assert not workspace.warehouse.exists()

    def test_files_are_hashed_once(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        paths: list[Path] = []
        sha256_of = checksums.sha256_of

        def counted(path: Path) -> str:
            paths.append(path)
            return sha256_of(path)

        monkeypatch.setattr(checksums, "sha256_of", counted)
        Ingest(workspace).run()
        scope.check_lake(workspace)
        of_source = [path for path in paths if "/people/" in str(path) or "/areas/" in str(path)]
        assert len(of_source) == len(set(of_source))
