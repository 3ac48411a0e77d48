"""Every hostile declaration is refused by `zpo2 check` and `zpo2 run` with its file, in bounded time and memory, without a control character.

`zpo2 preview`, which needs less of a pack, refuses it or shows what the source gives. One process with limits does all of this, as a run would
that reads one pack after the other.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.declarations import CASES, Declared

MEMORY = 2_000_000_000
"""Bytes that the process may allocate."""
SECONDS = 120
"""CPU time of the process for all cases together."""


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, str]]:
    """Exit code and output of each command by case and command; the process writes a line for each."""
    folder = tmp_path_factory.mktemp("declarations")
    command = [sys.executable, "-m", "tests.hostile.declarations", str(folder)]
    done = subprocess.run(command, capture_output=True, timeout=300, preexec_fn=_limited, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {(row["id"], row["command"]): (row["exit_code"], row["output"]) for row in rows}


def assert_readable(output: str) -> None:
    assert "Traceback" not in output
    assert all(c.isprintable() or c == "\n" for c in output), repr(output[:500])
    assert len(output) < 20_000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_declaration_is_refused(done: dict[tuple[str, str], tuple[int, str]], case: Declared) -> None:
    for command in ("check",) if case.is_of_data else ("check", "run"):
        exit_code, output = done[case.id, command]
        assert exit_code == 2, output[:2000]
        assert_readable(output)
        assert any(line.startswith(f"{case.file}:") and case.reason in line for line in output.splitlines()), output[:2000]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_preview_refuses_it_or_reads_the_file(done: dict[tuple[str, str], tuple[int, str]], case: Declared) -> None:
    exit_code, output = done[case.id, "preview"]
    assert_readable(output)
    if case.is_of_data:
        assert (exit_code, "leads out of its folder" in output) == (1, True), output[:2000]
    elif exit_code == 0:
        assert "data/a.csv, 15 bytes" in output
        assert "1 rows, 2 columns" in output
    else:
        assert exit_code == 2, output[:2000]
        assert f"{case.file}:" in output
