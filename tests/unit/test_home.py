"""One home, one pack, one writer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.core import atomic
from pipelines.core.workspace import WorkspaceBusy, WorkspaceError, WorkspaceFolder
from tests.support.command import environment

HOLD = """
import sys, time
from pathlib import Path
from pipelines.core.workspace import WorkspaceFolder
with WorkspaceFolder(Path(sys.argv[1])).lock():
    print('held', flush=True)
    time.sleep(60)
"""


def test_a_home_belongs_to_one_pack(tmp_path: Path) -> None:
    home = WorkspaceFolder(tmp_path / "home")
    home.claim("one")
    home.claim("one")
    with pytest.raises(WorkspaceError, match="belongs to the pack one, not to two"):
        home.claim("two")


def test_a_folder_with_other_files_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(WorkspaceError, match=r"holds files but no home\.json"):
        WorkspaceFolder(tmp_path).claim("one")


@pytest.mark.parametrize("name", ["inbox", "dagster"])
def test_a_folder_that_others_create_before_the_first_run_is_no_obstacle(tmp_path: Path, name: str) -> None:
    (tmp_path / name / "storage").mkdir(parents=True)
    WorkspaceFolder(tmp_path).claim("one")
    assert WorkspaceFolder(tmp_path).owned_by("one")


def test_another_process_that_holds_the_home_is_waited_for_and_then_named(tmp_path: Path) -> None:
    told: list[str] = []
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], env=environment(), stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceBusy, match="still writing"), WorkspaceFolder(tmp_path).lock(wait=0.5, on_wait=told.append):
            pytest.fail("two writers on one home")
        holder.kill()
    assert len(told) == 1
    with WorkspaceFolder(tmp_path).lock(wait=5):  # the lock goes with the process, even a killed one
        pass


def test_a_failed_write_leaves_the_old_content_and_no_debris(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    atomic.write_json(target, {"a": 1})

    def stop_half_way() -> None:
        with atomic.atomic_write(target) as path:
            path.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stop_half_way()
    assert atomic.read_json(target, None) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_what_a_killed_write_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".part-abc").write_text("half")
    assert atomic.cleanup_temp(tmp_path) == 1
    assert not list((tmp_path / "deep").iterdir())
