"""The inbox: complete files become snapshots, half-written files stay, rejected files are moved aside with the reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import backlog, inbox
from pipelines.extract.snapshots import Archive
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.packs import Pack
from pipelines.packs.workspace import Workspace
from tests.support import five_places

ROWS = "code,sex,persons\na1,M,99\n"


@pytest.fixture
def place(tmp_path: Path) -> tuple[Pack, WorkspaceFolder]:
    pack, home = packs.load(five_places.write(tmp_path / "pack")), WorkspaceFolder(tmp_path / "home")
    home.claim(pack.id)
    inbox.prepare(Workspace(home.root, pack=pack))
    fetch_sources(Workspace(home.root, Settings(), pack=pack))
    return pack, home


def drop(home: WorkspaceFolder, name: str, text: str = ROWS, age: float = 60) -> Path:
    path = home.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    _aged(path, age)
    return path


def _aged(path: Path, age: float) -> None:
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))


def drain(pack: Pack, home: WorkspaceFolder) -> list[tuple[str, str | None]]:
    return [(result.request.part.name, result.error) for result in backlog.drain(Workspace(home.root, Settings(), pack=pack))]


def test_a_dropped_file_is_the_newest_content_of_the_part_in_its_name(place: tuple[Pack, WorkspaceFolder]) -> None:
    pack, home = place
    file = drop(home, "people/year=2021.csv")
    assert drain(pack, home) == [("year=2021", None)]
    assert not file.exists()
    state = SourceStates(home.fetch_state).get("people", "year=2021")
    assert state.bytes == len(ROWS)
    fetch_sources(Workspace(home.root, Settings(), pack=pack))
    assert SourceStates(home.fetch_state).get("people", "year=2021").sha256 == state.sha256, "the address has nothing newer"
    (pack.root / "data" / "people_2021.csv").write_text(ROWS.replace("99", "100"))
    fetch_sources(Workspace(home.root, Settings(), pack=pack))
    assert SourceStates(home.fetch_state).get("people", "year=2021").sha256 != state.sha256


def test_what_was_dropped_and_was_there_before_is_no_news(place: tuple[Pack, WorkspaceFolder]) -> None:
    pack, home = place
    before = SourceStates(home.fetch_state).get("people", "year=2021")
    drop(home, "people/year=2021.csv", (pack.root / "data" / "people_2021.csv").read_text())
    drain(pack, home)
    after = SourceStates(home.fetch_state).get("people", "year=2021")
    assert (after.sha256, after.history) == (before.sha256, before.history)


@pytest.mark.parametrize("name", ["people/.year=2021.csv", "people/year=2021.csv.part", "people/year=2021.csv~", ".hidden/year=2021.csv"])
def test_names_of_files_under_way_are_left_alone(place: tuple[Pack, WorkspaceFolder], name: str) -> None:
    pack, home = place
    file = drop(home, name)
    assert drain(pack, home) == []
    assert file.exists()


def test_a_file_that_was_changed_a_moment_ago_is_left_alone(place: tuple[Pack, WorkspaceFolder]) -> None:
    pack, home = place
    file = drop(home, "people/year=2021.csv", age=0)
    assert drain(pack, home) == []
    _aged(file, 60)
    assert drain(pack, home) == [("year=2021", None)]


@pytest.mark.skipif(not Path("/proc/self/fdinfo").exists(), reason="this system does not show which files are open")
def test_a_file_that_a_slow_writer_has_open_is_left_alone_however_long_it_pauses(place: tuple[Pack, WorkspaceFolder]) -> None:
    pack, home = place
    file = drop(home, "people/year=2021.csv", "code,sex,persons\n")
    writer = "import sys; f = open(sys.argv[1], 'a'); print('open', flush=True); sys.stdin.readline(); f.write('a1,M,99\\n'); f.close()"
    with subprocess.Popen([sys.executable, "-c", writer, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "open\n"
        _aged(file, 60)
        assert drain(pack, home) == []
        process.stdin.write("\n")
        process.stdin.close()
        process.wait()
    _aged(file, 60)
    assert drain(pack, home) == [("year=2021", None)]
    assert SourceStates(home.fetch_state).get("people", "year=2021").bytes == len(ROWS)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("people/year=1999.csv", ROWS, "no part of the source has this name"),
        ("people/year=2021.csv", "", "empty"),
        ("people/year=2021.csv", "<!DOCTYPE html><html>", "a web page in place of data"),
        ("nobody/x.csv", ROWS, "the pack has no such source"),
    ],
)
def test_what_cannot_be_a_snapshot_is_put_aside_with_its_reason(
    place: tuple[Pack, WorkspaceFolder], name: str, text: str, reason: str
) -> None:
    pack, home = place
    for _ in range(2):  # a second file of the same name does not replace the first
        drop(home, name, text)
        drain(pack, home)
    source, file = name.split("/")
    aside = home.inbox / ".refused" / source
    assert {p.name for p in aside.iterdir()} == {file, f"{file}.reason.txt", f"2-{file}", f"2-{file}.reason.txt"}
    assert reason in (aside / f"{file}.reason.txt").read_text()
    assert (aside / file).read_text() == text
    assert inbox.list_files(home) == []


def test_a_name_that_is_no_text_or_would_be_commands_stays_a_name(place: tuple[Pack, WorkspaceFolder]) -> None:
    pack, home = place
    folder = os.fsencode(home.inbox / "people")
    for name in (b"year=2021.\xff\n.csv", b"\x1b[2J\xfe.csv"):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(ROWS)
        os.utime(path, (1, 1))
    assert drain(pack, home) == [("year=2021", None)]
    sha256 = SourceStates(home.fetch_state).get("people", "year=2021").sha256
    snapshot = Archive(home.archive).find("people", "year=2021", sha256)
    assert snapshot is not None
    assert snapshot.url == "inbox/people/year=2021.\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.csv"
    (reason,) = [p for p in (home.inbox / ".refused" / "people").iterdir() if p.name.endswith(".reason.txt")]
    assert reason.read_text().strip().isprintable()
    assert inbox.list_files(home) == []


def test_a_link_is_not_followed(place: tuple[Pack, WorkspaceFolder], tmp_path: Path) -> None:
    pack, home = place
    secret = tmp_path / "secret"
    secret.write_text(ROWS)
    _aged(secret, 60)
    (home.inbox / "people" / "year=2021.csv").symlink_to(secret)
    os.utime(home.inbox / "people" / "year=2021.csv", (1, 1), follow_symlinks=False)
    assert drain(pack, home) == []
    assert "a link" in (home.inbox / ".refused" / "people" / "year=2021.csv.reason.txt").read_text()
    assert secret.read_text() == ROWS


def test_a_refused_file_makes_its_source_stale_until_something_good_comes(place: tuple[Pack, WorkspaceFolder]) -> None:
    pack, home = place
    drop(home, "people/year=2021.csv", "<html>")
    ((_, error),) = drain(pack, home)
    assert error is not None
    state = SourceStates(home.fetch_state).get("people", "year=2021")
    assert state.stale_since is not None
    assert state.error == error
    drop(home, "people/year=2021.csv")
    drain(pack, home)
    assert SourceStates(home.fetch_state).get("people", "year=2021").error is None


def test_killed_before_the_file_is_removed_the_next_run_takes_up_the_same_again(
    place: tuple[Pack, WorkspaceFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, home = place
    file = drop(home, "people/year=2021.csv")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(inbox, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        drain(pack, home)
    monkeypatch.undo()
    once = SourceStates(home.fetch_state).get("people", "year=2021")
    assert file.exists()
    assert drain(pack, home) == [("year=2021", None)]
    assert SourceStates(home.fetch_state).get("people", "year=2021").history == once.history
    assert not file.exists()


def test_a_file_that_is_replaced_while_it_is_taken_up_is_not_lost(
    place: tuple[Pack, WorkspaceFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, home = place
    file = drop(home, "people/year=2021.csv")
    remove = inbox.remove

    def replaced_first(path: Path, identity: tuple[int, int, int]) -> None:
        drop(home, "people/new", ROWS.replace("99", "100")).replace(path)
        remove(path, identity)

    monkeypatch.setattr(inbox, "remove", replaced_first)
    drain(pack, home)
    monkeypatch.undo()
    assert file.exists()
    drain(pack, home)
    assert SourceStates(home.fetch_state).get("people", "year=2021").bytes == len(ROWS) + 1
