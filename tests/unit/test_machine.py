"""Errors of the machine become one sentence, and an interruption ends the command with one line, at any moment."""

from __future__ import annotations

import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from pipelines.core.machine import fault_in, fault_of, is_of_damaged_database
from tests.support import five_places
from tests.support.command import environment, start


def on_a_full_device() -> None:
    with Path("/dev/full").open("w") as file:
        file.write("x")


def in_a_full_database() -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("pragma max_page_count = 3"))
        connection.execute(sqlalchemy.text("create table t as select randomblob(100000)"))


def without_memory_for_the_engine() -> None:
    connection = duckdb.connect(config={"memory_limit": "10MB", "threads": 1, "temp_directory": ""})
    connection.execute("select list(i) from range(10_000_000) as r(i)")


def without_memory() -> None:
    bytearray(2**62)


def without_files() -> None:
    _, hard = limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
        while True:
            files.append(Path("/dev/null").open())  # noqa: SIM115 - they are what the machine runs out of
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for file in files:
            file.close()


def with_a_cause() -> None:
    try:
        on_a_full_device()
    except OSError as error:
        raise RuntimeError("a step failed") from error


@pytest.mark.parametrize(
    ("fail", "sentence"),
    [
        (on_a_full_device, "the disk is full"),
        (in_a_full_database, "the disk is full"),
        (with_a_cause, "the disk is full"),
        (without_memory_for_the_engine, "there is not enough memory"),
        (without_memory, "there is not enough memory"),
        (without_files, "too many files are open"),
    ],
)
def test_an_error_of_the_machine_is_one_sentence(fail: Callable[[], None], sentence: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each library has its own
        fail()
    fault = fault_of(caught.value)
    assert fault is not None, caught.value
    assert fault.startswith(sentence)
    assert "\n" not in fault


def test_other_errors_are_no_faults_of_the_machine() -> None:
    assert fault_of(KeyError("disk")) is None
    assert fault_of(FileNotFoundError(2, "No such file or directory")) is None
    assert fault_in("Binder Error: no such column") is None


def test_a_damaged_database_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"no database" * 1000)
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    with pytest.raises(sqlalchemy.exc.DatabaseError) as caught, engine.connect() as connection:
        connection.execute(sqlalchemy.text("select * from sqlite_master"))
    assert is_of_damaged_database(caught.value)
    assert not is_of_damaged_database(sqlite3.OperationalError("database is locked"))


@pytest.mark.slow
def test_a_command_on_a_full_disk_ends_with_one_line(tmp_path: Path) -> None:
    """What any step raises on a full disk reaches the command; here it is the first file that a run writes."""
    script = (
        "import errno, sys\n"
        "from pipelines.core import atomic\n"
        "def full(*_): raise OSError(errno.ENOSPC, 'No space left on device', '/somewhere')\n"
        "atomic.write_json = full\n"
        "sys.argv[1:] = ['run', '--pack', sys.argv[1], '--home', sys.argv[2]]\n"
        "from pipelines.cli.entry import main\n"
        "main()\n"
    )
    pack = five_places.write(tmp_path / "pack")
    done = subprocess.run(
        [sys.executable, "-c", script, pack, tmp_path / "home"], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"the disk is full: .+ \(.*No space left on device: '/somewhere'\); the last release stands", line)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("moment", ["imports", "run"])
def test_an_interruption_ends_a_run_at_any_moment(tmp_path: Path, number: signal.Signals, code: int, moment: str) -> None:
    home = tmp_path / "home"
    process = start("run", "--pack", five_places.write(tmp_path / "pack"), "--home", home)
    if moment == "run":
        while not (home / "dagster" / "last_run.log").is_file():  # Dagster begins, which handles signals by itself
            assert process.poll() is None
            time.sleep(0.02)
    else:
        while "SigCgt:\t0000000000000000" in (status := Path(f"/proc/{process.pid}/status").read_text()) or not _handles(status, number):
            time.sleep(0.001)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert output.splitlines()[-1] == "interrupted"
    assert "Traceback" not in output


def _handles(status: str, number: int) -> bool:
    """Whether a process has a handler of its own for SIGTERM, which Python itself has not."""
    caught = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1 and caught >> (number - 1) & 1)
