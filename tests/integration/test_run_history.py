"""The event log that a workspace configures for Dagster: few open files, and the content of Dagster's own."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from pipelines.core.workspace import WorkspaceFolder
from pipelines.orchestration.run_history import OPEN_FILES, OneConnectionHistory

RUNS = OPEN_FILES + 4


@pytest.fixture
def home(tmp_path: Path) -> WorkspaceFolder:
    folder = WorkspaceFolder(tmp_path / "home")
    folder.claim("five")
    return folder


def store(instance: dg.DagsterInstance, number: int) -> str:
    """Store a run with one event in the event log, and return its id."""
    run = dg.DagsterRun(job_name="publish")
    instance.add_run(run)
    instance.report_engine_event(f"event {number}", run)
    return run.run_id


def test_the_configuration_of_a_workspace_names_it(home: WorkspaceFolder) -> None:
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        assert isinstance(instance.event_log_storage, OneConnectionHistory)
        run_id = store(instance, 1)
    assert (home.dagster / "history" / "runs" / f"{run_id}.db").is_file(), "where Dagster keeps it by itself"


def test_a_moved_workspace_writes_to_its_new_place(home: WorkspaceFolder, tmp_path: Path) -> None:
    moved = WorkspaceFolder(home.root.rename(tmp_path / "moved"))
    moved.claim("five")
    with dg.DagsterInstance.from_config(str(moved.dagster)) as instance:
        store(instance, 1)
    assert not home.root.exists()


def test_the_events_of_many_runs_are_read_with_few_open_files(home: WorkspaceFolder) -> None:
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        runs = [store(instance, number) for number in range(RUNS)]
        folder = str(home.dagster / "history" / "runs")
        open_files = [target for fd in os.listdir("/proc/self/fd") if (target := _target(fd)).startswith(folder) and target.endswith(".db")]
        assert len(open_files) == OPEN_FILES
        for storage in (instance.event_log_storage, SqliteEventLogStorage(folder)):
            messages = [[entry.message for entry in storage.get_logs_for_run(run_id)] for run_id in runs]
            assert messages == [[f"event {number}"] for number in range(RUNS)]


def test_wiped_runs_leave_no_events(home: WorkspaceFolder) -> None:
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        run_id = store(instance, 1)
        instance.event_log_storage.wipe()
        assert instance.all_logs(run_id) == []


def _target(fd: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:  # the descriptor with which the folder was listed
        return ""
