"""Paths of all kinds: a workspace works in them, or the command names the character that it cannot take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.cli import development
from pipelines.core.errors import ExitCode
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceError, WorkspaceFolder
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.packs.workspace import Workspace
from pipelines.warehouse import dbt
from tests.support import five_places
from tests.support.command import PROJECT, environment

ODD = "100% (kopie) č 市 {a} & b; $HOME ~ @x +y, z"


@pytest.mark.parametrize("name", ["o'brien", 'a "b"', "a#1", "q?", "a[1]", "*", "a\\b", "year=2021", "a\nb", "a\x1bb"])
def test_a_path_that_a_library_would_misunderstand_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "home"
    with pytest.raises(WorkspaceError, match=r"the path contains .+; rename the folder, or give another one") as caught:
        WorkspaceFolder(folder).owned_by("five")
    assert caught.value.exit_code == ExitCode.WRONG
    assert len(caught.value.lines) == 1
    assert not folder.exists()


def test_a_pack_may_be_anywhere(tmp_path: Path) -> None:
    pack = packs.load(five_places.write(tmp_path / "o'brien #1 [x]? y=2" / "pack"))
    workspace = Workspace(tmp_path / "home", Settings(), pack=pack)
    assert [result.error for result in fetch_sources(workspace)] == [None] * 3
    assert sum(report.accepted for report in Ingest(workspace).run().values()) == 30


def test_no_module_of_the_working_folder_reaches_a_child_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `click.py` where the command is started, or in a relative folder of PYTHONPATH, would be imported in place of the library."""
    for folder in (tmp_path, tmp_path / "lib"):
        folder.mkdir(exist_ok=True)
        (folder / "click.py").write_text("raise SystemExit('the wrong click')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "lib", "/nowhere"]))
    variables = dbt.environment(WorkspaceFolder(tmp_path))
    assert variables["PYTHONPATH"] == os.pathsep.join([str(PROJECT), "/nowhere"])
    for arguments in (["-c", "import click"], ["-m", "click.core"]):
        done = subprocess.run(
            [sys.executable, *arguments], env={**os.environ, **variables}, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "the wrong click" not in done.stderr
    started: list[dict[str, str]] = []

    def popen(*_: object, env: dict[str, str], **__: object) -> None:
        started.append(env)
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.cli.development.subprocess.Popen", popen)
    with pytest.raises(KeyboardInterrupt):
        development.run(Workspace(tmp_path, Settings(), pack=packs.load(five_places.write(tmp_path / "pack"))), "127.0.0.1", 1, 2)
    assert started[0]["PYTHONSAFEPATH"] == "1"


@pytest.mark.slow
def test_a_run_in_an_odd_folder_beside_a_module_named_click(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    pack = five_places.write(folder / "pack")
    (folder / "click.py").write_text("raise SystemExit('the wrong click')\n")
    script = "import sys; sys.path.pop(0); from pipelines.cli.entry import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "run", "--pack", pack, "--home", "data"],
        env=environment(), cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "data" / "public" / "latest.json").is_file()
