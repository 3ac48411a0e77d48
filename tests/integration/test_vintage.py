"""The release of an earlier time: the snapshots known then, into a folder of its own; what is published stays as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.packs.workspace import Workspace
from pipelines.runs import vintage
from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import EPOCH, zpo2


@pytest.mark.slow
def test_a_vintage_has_the_numbers_and_bytes_of_its_time_and_nothing_else_changes(five_home: Path, tmp_path: Path) -> None:
    pack, home = tmp_path / "pack", tmp_path / "home"
    shutil.copytree(five_home.parent / "pack", pack)
    shutil.copytree(five_home, home)
    published = current_release(home)
    before = (home / "public" / "latest.json").read_bytes()
    # two days later a number is revised and the lake takes it up
    (pack / "data" / "people_2021.csv").write_text(five_places.PEOPLE_2021.replace("a1,M,13", "a1,M,99").replace("309", "395"))
    later = Settings(SOURCE_DATE_EPOCH=int(EPOCH) + 2 * 86_400)
    loaded = packs.load(pack)
    fetch_sources(Workspace(home, later, pack=loaded))
    Ingest(Workspace(home, later, pack=loaded)).run()

    out = tmp_path / "then"
    done = zpo2("run", "--pack", pack, "--home", home, "--vintage", "2025-10-09", "--out", out, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in (p for p in published.rglob("*") if p.is_file() and p.name not in ("indicators.duckdb", "SHA256SUMS")):
        assert (out / file.relative_to(published)).read_bytes() == file.read_bytes(), file
    assert zpo2("verify", out).returncode == 0
    assert (home / "public" / "latest.json").read_bytes() == before
    assert not [path for path in home.iterdir() if path.name.startswith(".part-")]

    again = zpo2("run", "--pack", pack, "--home", home, "--vintage", "2025-10-09", "--out", out)
    assert again.returncode == 2
    assert "exists and is not an empty folder" in again.stderr


def test_before_a_source_was_fetched_nothing_was_known_of_it(tmp_path: Path) -> None:
    loaded, home = packs.load(five_places.write(tmp_path / "pack")), WorkspaceFolder(tmp_path / "home")
    home.claim(loaded.id)
    fetch_sources(Workspace(home.root, Settings(SOURCE_DATE_EPOCH=int(EPOCH)), pack=loaded))
    for time, known in (("2025-10-08T23:59:59Z", False), ("2025-10-09T23:59:59Z", True)):
        with vintage.workspace_at(Workspace(home.root, pack=loaded), time) as past:
            reports = Ingest(past).run()
        assert (reports["areas"].accepted > 0) == known
        assert (reports["areas"].errors == {"": "never fetched"}) != known
    assert not [path for path in home.root.iterdir() if path.name.startswith(".part-")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--vintage", "2025-10-09"], "--vintage and --out go together"),
        (["--vintage", "soon", "--out", "x"], "expected a date or time"),
        (["--vintage", "2025-10-09", "--out", "x", "--only", "areas"], "--vintage goes with --out only"),
    ],
)
def test_a_vintage_that_cannot_be_is_exit_2(tmp_path: Path, options: list[str], words: str) -> None:
    pack = five_places.write(tmp_path / "pack")
    done = zpo2("run", "--pack", pack, "--home", tmp_path / "home", *options)
    assert done.returncode == 2
    assert words in done.stderr
