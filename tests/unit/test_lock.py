"""The lock of a workspace: one process writes, others wait and can say for whom; nobody who waits is taken for dead."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceBusy, WorkspaceFolder
from pipelines.orchestration.session import RunSession
from pipelines.packs import load
from pipelines.packs.workspace import Workspace
from pipelines.runs.request import RunRequest
from tests.support import five_places


def test_who_waits_learns_who_writes_and_since_when(tmp_path: Path) -> None:
    folder = WorkspaceFolder(tmp_path)
    told: list[str] = []
    with folder.lock(holder="a run of the daemon"):
        who = rf"a run of the daemon \(process {os.getpid()}, since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ\) is still writing to .+, after 0 s; "
        with (
            pytest.raises(WorkspaceBusy, match=who + r"try again when it has ended, or start a run that waits longer"),
            folder.lock(wait=0),
        ):
            pass
        with pytest.raises(WorkspaceBusy), folder.lock(wait=0.2, on_wait=told.append):
            pass
    assert len(told) == 1
    assert told[0].endswith("waiting up to 0 s")
    with folder.lock(wait=0):
        assert folder.root.is_dir()


def test_no_run_is_dead_while_a_process_holds_the_workspace_or_waits_for_it(tmp_path: Path) -> None:
    folder = WorkspaceFolder(tmp_path)
    waits, done = threading.Event(), threading.Event()

    def wait() -> None:
        with folder.lock(wait=60, on_wait=lambda _: waits.set()):
            done.set()

    with folder.lock():
        with pytest.raises(WorkspaceBusy), folder.lock_without_waiters():
            pass
        thread = threading.Thread(target=wait)
        thread.start()
        assert waits.wait(30)
        with pytest.raises(WorkspaceBusy), folder.lock_without_waiters():
            pass
    assert done.wait(30)
    thread.join()
    with folder.lock_without_waiters():
        pass


def test_a_run_of_the_daemon_waits_longer_than_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.core.workspace.WAIT_SECONDS", 0.0)
    workspace = Workspace(tmp_path / "home", Settings(), pack=load(five_places.write(tmp_path / "pack")))
    workspace.open()
    session, holds = RunSession(RunRequest(workspace)), threading.Event()

    def hold() -> None:
        session.hold()
        holds.set()
        session.release_lock()

    with workspace.lock():
        thread = threading.Thread(target=hold)
        thread.start()
        assert not holds.wait(0.5)
    assert holds.wait(30)
    thread.join()


def test_a_workspace_in_which_a_command_only_waited_is_still_empty(tmp_path: Path) -> None:
    folder = WorkspaceFolder(tmp_path)
    with folder.lock():
        pass
    assert not folder.owned_by("five")
