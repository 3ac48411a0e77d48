"""Every command's help ends with an example, and it works: each is run as it stands, on a small pack in the place of packs/demo."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from pipelines.cli import app as cli
from tests.conftest import current_release
from tests.support.command import PROJECT, environment, zpo2

pytestmark = pytest.mark.slow

COMMANDS = sorted(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]
PROBES = {"serve": ("/latest.json", 200), "dev": ("/server_info", 200), "serve-events": ("/health", 200), "mcp": ("/mcp", 405)}
"""Commands that run until they are stopped, and the status of the answer to GET at an address of theirs."""
START_SECONDS = 180.0


@dataclass(frozen=True)
class Place:
    """A working folder that looks like a clone after `make run`, and the home of its pack."""

    folder: Path
    home: Path

    def command(self, arguments: list[str]) -> list[str]:
        return [sys.executable, "-m", "pipelines.cli", *arguments]

    def environment(self) -> dict[str, str]:
        return environment(ZPO2_HOME=str(self.home), ZPO2_SECRET_EVENTS="a-secret-of-some-length")


@pytest.fixture
def place(five_home: Path, tmp_path: Path) -> Place:
    """A copy of the small pack as packs/demo, of its home as data/demo."""
    shutil.copytree(five_home.parent / "pack", tmp_path / "packs" / "demo")
    shutil.copytree(five_home, tmp_path / "data" / "demo")
    return Place(tmp_path, tmp_path / "data" / "demo")


def help_of(*words: str) -> str:
    """Return the help of a command. It is asked in this process: starting another one for each command takes a minute."""
    done = CliRunner().invoke(cli.app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    return done.stdout


def example(command: str) -> list[str]:
    """Return the arguments of the example in the help of `command`."""
    text = " ".join(help_of(command).split())
    assert text.count("Example: ") == 1, f"the help of {command} has one example"
    program, *arguments = shlex.split(text.partition("Example: ")[2])
    assert program == "zpo2"
    assert arguments[0] == command
    return arguments


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    example(command)


def test_every_command_is_listed_in_the_help() -> None:
    listed = {line.split()[0] for line in zpo2("--help").stdout.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(COMMANDS) <= listed


@pytest.mark.parametrize("group", [[], ["push"]], ids=["zpo2", "zpo2 push"])
def test_no_summary_is_cut_in_a_terminal_of_80_columns(group: list[str]) -> None:
    lines = zpo2(*group, "--help", COLUMNS="80").stdout.partition("Commands:")[2].splitlines()
    assert [line for line in lines if line.rstrip().endswith("...")] == []
    assert max(map(len, lines)) <= 80


def every_command() -> list[list[str]]:
    """Return the words of each command, those of groups included."""
    words = []
    for name, command in typer.main.get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        words += [[name, inner] for inner in command.commands] if hasattr(command, "commands") else [[name]]
    return words


@pytest.mark.parametrize("words", [w for w in every_command() if w != ["init"]], ids=" ".join)
def test_every_command_takes_a_pack_and_a_home(words: list[str]) -> None:
    text = help_of(*words)
    assert "--pack <path>" in text
    assert "--home <path>" in text


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = zpo2("--version")
    assert (done.returncode, done.stdout) == (0, f"zpo2 {project['version']}\n")


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in PROBES])
def test_the_example_of_the_help_runs(command: str, place: Place) -> None:
    arguments = example(command)
    if command == "verify":  # versions carry the date: the release takes the name that the example gives it
        target = place.folder / arguments[1]
        release = current_release(place.home)
        if target != release:
            release.rename(target)
    if command == "explain":
        arguments[2] = "S"  # the small pack's state has another name
    if command in ("rollback", "withdraw", "pin", "changes"):
        an_earlier_release(place, next(word for word in arguments if word.startswith("2026.")))
    done = subprocess.run(place.command(arguments), cwd=place.folder, env=place.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip(), "a command says what it did"


def an_earlier_release(place: Place, version: str) -> None:
    """Put a release before the current one, with other content as the ledger says."""
    path = place.home / "public" / "releases.json"
    ledger = json.loads(path.read_text(encoding="utf-8"))
    shutil.copytree(current_release(place.home), place.home / "public" / "releases" / version)
    ledger["releases"].insert(0, {**ledger["releases"][0], "version": version, "content": "other tables"})
    path.write_text(json.dumps(ledger), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted(PROBES))
def test_the_example_of_a_server_answers_until_it_is_stopped(command: str, place: Place) -> None:
    port = free_port()  # the example's own may be taken on this machine
    arguments = on_port(example(command), port)
    path, status = PROBES[command]
    with running(place, arguments) as server:
        assert get(server, f"http://127.0.0.1:{port}{path}") == status
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
    assert {p.name for p in place.folder.iterdir()} == {"packs", "data"}, "nothing is written outside of the home"


def on_port(arguments: list[str], port: int) -> list[str]:
    """Return the arguments of a server with another port, which stands alone after --port, or after the host."""
    option = next(name for name in ("--port", "--http") if name in arguments)
    value = arguments.index(option) + 1
    return [*arguments[:value], re.sub(r"\d+$", str(port), arguments[value]), *arguments[value + 1 :]]


@contextmanager
def running(place: Place, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a process group of its own, so that none of its children outlives the test."""
    log = (place.home / "server.log").open("wb")
    server = subprocess.Popen(
        place.command(arguments), cwd=place.folder, env=place.environment(), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        log.close()


def get(server: subprocess.Popen[bytes], url: str) -> int:
    """Return the status of the first answer, waiting until the server listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert server.poll() is None, "the server ended before it answered"
            assert time.monotonic() < deadline, "the server did not answer in time"
            time.sleep(0.3)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
