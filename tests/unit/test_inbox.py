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
from pipelines.lake.ingest import Ingest
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


class TestCompleteFiles:
    @pytest.mark.parametrize(
        "name", ["people/.year=2021.csv", "people/year=2021.csv.part", "people/year=2021.csv~", ".hidden/year=2021.csv"]
    )
    def test_leave_unfinished_names(self, place: tuple[Pack, WorkspaceFolder], name: str) -> None:
        pack, home = place
        file = drop(home, name)
        assert drain(pack, home) == []
        assert file.exists()

    def test_leave_recently_changed_files(self, place: tuple[Pack, WorkspaceFolder]) -> None:
        pack, home = place
        file = drop(home, "people/year=2021.csv", age=0)
        assert drain(pack, home) == []
        _aged(file, 60)
        assert drain(pack, home) == [("year=2021", None)]

    @pytest.mark.skipif(not Path("/proc/self/fdinfo").exists(), reason="this system does not show which files are open")
    def test_leave_files_that_are_open_for_writing(self, place: tuple[Pack, WorkspaceFolder]) -> None:
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


class TestDrainInbox:
    def test_makes_a_file_the_newest_content_of_its_part(self, place: tuple[Pack, WorkspaceFolder]) -> None:
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

    def test_ignores_content_that_is_already_there(self, place: tuple[Pack, WorkspaceFolder]) -> None:
        pack, home = place
        before = SourceStates(home.fetch_state).get("people", "year=2021")
        drop(home, "people/year=2021.csv", (pack.root / "data" / "people_2021.csv").read_text())
        drain(pack, home)
        after = SourceStates(home.fetch_state).get("people", "year=2021")
        assert (after.sha256, after.history) == (before.sha256, before.history)

    @pytest.mark.parametrize(
        ("name", "text", "reason"),
        [
            ("people/year=1999.csv", ROWS, "no part of the source has this name"),
            ("people/year=2021.csv", "", "empty"),
            ("people/year=2021.csv", "<!DOCTYPE html><html>", "a web page in place of data"),
            ("nobody/x.csv", ROWS, "the pack has no such source"),
        ],
    )
    def test_moves_rejected_files_aside_with_the_reason(
        self, place: tuple[Pack, WorkspaceFolder], name: str, text: str, reason: str
    ) -> None:
        pack, home = place
        for _ in range(2):  # a second file of the same name does not replace the first
            drop(home, name, text)
            drain(pack, home)
        source, file = name.split("/")
        aside = home.inbox / ".refused" / source
        assert {p.name for p in aside.iterdir()} == {file, f"{file}.reason.txt", f"2-{file}", f"2-{file}.reason.txt"}
        assert reason in (aside / f"{file}.reason.txt").read_text(encoding="utf-8")
        assert (aside / file).read_text() == text
        assert inbox.list_files(home) == []

    def test_accepts_names_with_invalid_and_control_characters(self, place: tuple[Pack, WorkspaceFolder]) -> None:
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

    def test_does_not_follow_links(self, place: tuple[Pack, WorkspaceFolder], tmp_path: Path) -> None:
        pack, home = place
        secret = tmp_path / "secret"
        secret.write_text(ROWS)
        _aged(secret, 60)
        (home.inbox / "people" / "year=2021.csv").symlink_to(secret)
        os.utime(home.inbox / "people" / "year=2021.csv", (1, 1), follow_symlinks=False)
        assert drain(pack, home) == []
        assert "a link" in (home.inbox / ".refused" / "people" / "year=2021.csv.reason.txt").read_text()
        assert secret.read_text() == ROWS

    def test_makes_a_source_stale_after_a_rejected_file(self, place: tuple[Pack, WorkspaceFolder]) -> None:
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

    def test_repeats_the_work_of_a_killed_run(self, place: tuple[Pack, WorkspaceFolder], monkeypatch: pytest.MonkeyPatch) -> None:
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

    def test_keeps_a_file_that_replaced_an_archived_one(self, place: tuple[Pack, WorkspaceFolder], monkeypatch: pytest.MonkeyPatch) -> None:
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


WIDE = """\
id: wide
title: Wide
publisher: Town
licence: CC0-1.0
theme: municipal
fetch: {inbox: true, parts: {year: ["2020", "2021"]}}
read: {format: csv}
columns: {code: {required: true}, y2020: {type: integer}, y2021: {type: integer}}
into: observations
map: {area: {scheme: lau, code: code}, period: year, measures: {population: "case when year = '2020' then y2020 else y2021 end"}}
"""


class TestWideFile:
    def test_is_dropped_once_for_all_parts(self, tmp_path: Path) -> None:
        root = five_places.write(tmp_path / "pack")
        (root / "sources" / "people.yml").write_text(WIDE.replace("id: wide", "id: people"))
        pack, home = packs.load(root), WorkspaceFolder(tmp_path / "home")
        file = drop(home, "people/people.csv", "code,y2020,y2021\na1,1,2\n")
        wrong = drop(home, "people/year=2022.csv", "code,y2020,y2021\na1,1,2\n")
        assert drain(pack, home) == [("year=2020", None), ("year=2021", None)]
        assert not file.exists()
        assert not wrong.exists()
        reason = (home.inbox / ".refused" / "people" / "year=2022.csv.reason.txt").read_text()
        assert (
            reason
            == "year=2022.csv: no part of the source has this name; expected one of year=2020, year=2021, or people for all of them\n"
        )


class TestJunk:
    def test_stays_in_the_inbox(self, place: tuple[Pack, WorkspaceFolder]) -> None:
        pack, home = place
        names = (
            "~$year=2021.xlsx",
            "Thumbs.db",
            "desktop.ini",
            ".DS_Store",
            "._year=2021.csv",
            ".~lock.year=2021.ods#",
            "year=2021.csv.lock",
        )
        files = [drop(home, f"people/{name}") for name in names]
        assert inbox.list_files(home) == []
        assert drain(pack, home) == []
        assert all(file.exists() for file in files)

    @pytest.mark.slow
    def test_that_looks_like_a_delivery_does_not_overtake_one(self, place: tuple[Pack, WorkspaceFolder]) -> None:
        """Both files arrive between two runs, the one that nobody can read last."""
        pack, home = place
        workspace = Workspace(home.root, Settings(), pack=pack)
        fetch_sources(workspace)
        Ingest(workspace).run()
        good = five_places.PEOPLE_2021.replace("a3,M,30", "a3,M,31").replace("309", "310")
        for number, (name, content) in enumerate((("year=2021.csv", good), ("year=2021.bak.csv", "<junk>\n"))):
            file = drop(home, f"people/{name}", content)
            os.utime(file, (1_000_000 + number, 1_000_000 + number))
        backlog.drain(workspace)
        for _ in range(2):
            Ingest(workspace).run()
            state = SourceStates(home.fetch_state).get("people", "year=2021")
            assert Archive(home.archive).path(state.good).read_text() == good
            assert state.stale_since is not None
            assert state.refusal is not None
            assert "inbox/people/year=2021.bak.csv" in state.refusal
