"""Run the `zpo2` command as its users do: as a process of its own, with a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared"
MIRROR = SHARED / "data" / "mirror"
EPOCH = "1760000000"  # 2025-10-09
REPLACED = ("SOURCE_DATE_EPOCH", "DAGSTER_HOME", "PYTEST_ADDOPTS")
"""Variables of the caller that no process of a test gets."""


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without the project's variables, plus `variables`."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZPO2_") and k not in REPLACED}
    return {**clean, "PYTHONPATH": str(PROJECT), **variables}


def zpo2(*arguments: str | Path, timeout: float = 600, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `zpo2` with `arguments` and return what it printed and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        env=environment(**variables), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def start(*arguments: str | Path, log: Path | None = None, **variables: str) -> subprocess.Popen[str]:
    """Start `zpo2` in a process group of its own, so that a test can kill it with its children.

    What it says goes to the file `log`; without one into a pipe, which blocks whoever says more than it holds.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        env=environment(**variables), stdout=log.open("w") if log else subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
