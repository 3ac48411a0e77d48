"""Every hostile declaration is refused by `zpo2 check` with its file, in bounded time and memory, without a control character.

One process with limits checks all of them, as a run would that reads one pack after the other.
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
SECONDS = 60
"""CPU time of the process for all cases together."""


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit code and output of `zpo2 check` by case; the process writes a line for each case."""
    folder = tmp_path_factory.mktemp("declarations")
    command = [sys.executable, "-m", "tests.hostile.declarations", str(folder)]
    done = subprocess.run(command, capture_output=True, timeout=300, preexec_fn=_limited, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {row["id"]: (row["exit_code"], row["output"]) for row in rows}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_declaration_is_refused(checked: dict[str, tuple[int, str]], case: Declared) -> None:
    exit_code, output = checked[case.id]
    assert exit_code == 2, output[:2000]
    assert "Traceback" not in output
    assert all(c.isprintable() or c == "\n" for c in output), repr(output[:500])
    assert any(line.startswith(f"{case.file}:") and case.reason in line for line in output.splitlines()), output[:2000]
    assert len(output) < 20_000
