"""Dagster's storage on PostgreSQL: docs/operations/dagster-postgres.yaml is started against a real server, and its tables are looked into.

The server is Debian's, started here in a folder of its own and stopped in the end. Where there is none it is installed in CI, by root;
elsewhere these tests are skipped, and the message says what to install.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import debian
from tests.support.command import EPOCH, PROJECT, environment

pytestmark = pytest.mark.slow

EXAMPLE = PROJECT / "docs" / "operations" / "dagster-postgres.yaml"
DEBIANS = Path("/usr/lib/postgresql")
PASSWORD = "only-for-this-test"
UTF8 = ("--encoding=UTF8", "--no-locale")


def programs() -> Path | None:
    """Return the folder with the newest server's programs."""
    found = [p.parent for p in DEBIANS.glob("*/bin/postgres") if p.parents[1].name.isdigit()]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path and shutil.which("postgres") else None


@dataclass(frozen=True)
class Server:
    """A server on loopback, its programs, and the user it runs as (None: the one of this process)."""

    bin: Path
    folder: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        """The address as secrets.env has it; its driver is a part of it, which psql does not understand."""
        return f"postgresql+psycopg2://dagster:{PASSWORD}@127.0.0.1:{self.port}/dagster"

    def call(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(self.bin / program), *map(str, arguments)]
        if self.user:
            command = ["runuser", "-u", self.user, "--", *command]
        return subprocess.run(
            command, cwd=self.folder, env={**os.environ, "PGPASSWORD": PASSWORD, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    def query(self, sql: str) -> list[list[str]]:
        done = self.call(
            "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--field-separator=|", "--command", sql, self.url.replace("+psycopg2", "")
        )
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.splitlines() if line]


def unprivileged() -> str | None:
    """Return the user the server is to run as: never root, which it refuses."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), "nobody")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    for module in ("dagster_postgres", "psycopg2"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: it comes with the extra `postgres`")
    if programs() is None:
        debian.install("postgresql")
    found = programs()
    if found is None:
        pytest.skip("there is no PostgreSQL server: apt-get install postgresql (with CI set, root does it here)")
    user = unprivileged()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    # not below pytest's folder, which only its owner may enter
    folder = Path(tempfile.mkdtemp(prefix="zpo2-postgres-"))
    this = Server(found, folder, port, user)
    try:
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data = folder / "data"
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off -c max_connections=40"
        wanted: Sequence[tuple[str, ...]] = (
            ("initdb", "-D", str(data), "-U", "dagster", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync", *UTF8),
            ("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "-t", "60", "start"),
            ("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "dagster", "dagster"),
        )
        for program, *arguments in wanted:
            done = this.call(program, *arguments)
            log = folder / "log"
            assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.is_file() else "")
        yield this
    finally:
        if (folder / "data" / "postmaster.pid").is_file():
            this.call("pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "-t", "30", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Site:
    """A home whose Dagster has the example's configuration, and the pack beside it."""

    home: Path
    url: str

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this installation: `dagster` or `zpo2`."""
        program = [sys.executable, "-m", "pipelines.cli"] if command[0] == "zpo2" else [str(Path(sys.executable).parent / command[0])]
        variables = {
            "ZPO2_PACK": str(self.home.parent / "pack"), "ZPO2_HOME": str(self.home), "DAGSTER_HOME": str(self.home / "dagster"),
            "DAGSTER_POSTGRES_URL": self.url, "SOURCE_DATE_EPOCH": EPOCH,
        }  # fmt: skip
        return subprocess.run(
            [*program, *command[1:]],
            cwd=self.home, env=environment(**variables), capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip


@pytest.fixture
def site(five_home: Path, tmp_path: Path, server: Server) -> Site:
    shutil.copytree(five_home.parent / "pack", tmp_path / "pack")
    shutil.copytree(five_home, tmp_path / "home", ignore=shutil.ignore_patterns("history", "schedules"))
    shutil.copy(EXAMPLE, tmp_path / "home" / "dagster" / "dagster.yaml")
    return Site(tmp_path / "home", server.url)


def test_a_run_is_kept_in_postgresql_with_its_events_and_nowhere_else(site: Site, server: Server) -> None:
    done = site.call("dagster", "asset", "materialize", "-m", "pipelines.orchestration.definitions", "--select", 'key:"five/source/people"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.query("select status, pipeline_name from runs") == [["SUCCESS", "__ASSET_JOB"]]
    events = dict(server.query("select dagster_event_type, count(*) from event_logs group by 1"))
    assert events["ASSET_MATERIALIZATION"] == "1"
    assert events["PIPELINE_SUCCESS"] == "1"
    assert server.query("select asset_key from asset_keys") == [['["five", "source", "people"]']]
    assert (site.home / "dagster" / "dagster.yaml").read_bytes() == EXAMPLE.read_bytes(), "the operator's file is left alone"
    assert not (site.home / "dagster" / "history" / "runs.db").exists()


def test_runs_of_the_command_are_kept_there_too_with_the_reason_why_one_failed(site: Site, server: Server) -> None:
    (site.home / "last_run.json").unlink()
    (site.home / "warehouse.duckdb").unlink()
    (site.home / "warehouse.duckdb").mkdir()  # no model can be built: the run ends early
    there = server.query("select to_regclass('runs')")  # the first to come makes the tables
    before = int(server.query("select count(*) from runs")[0][0]) if there else 0
    done = site.call("zpo2", "run")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "release     none was made" in done.stdout
    assert server.query("select status from runs where pipeline_name = 'publish'") == [["FAILURE"]]
    assert int(server.query("select count(*) from runs")[0][0]) == before + 1
    failed = "dagster_event_type = 'STEP_FAILURE' and run_id = (select run_id from runs where status = 'FAILURE')"
    assert int(server.query(f"select count(*) from event_logs where {failed}")[0][0]) >= 1
