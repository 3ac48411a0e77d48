"""Run the `zpo2` command as its users do: as a process of its own, with a clean environment."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipelines import packs
from pipelines.core.workspace import WorkspaceFolder
from pipelines.core.yaml import PackError
from pipelines.warehouse.dbt import manifest_path, parsed_path

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared"
MIRROR = SHARED / "data" / "mirror"
EPOCH = "1760000000"  # 2025-10-09


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without the project's variables, plus `variables`."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZPO2_") and k not in ("SOURCE_DATE_EPOCH", "DAGSTER_HOME")}
    return {**clean, "PYTHONPATH": str(PROJECT), **variables}


def spare_parsing(arguments: Sequence[str | Path]) -> None:
    """Give a home that does not exist yet the parsed dbt project of packs/demo's, where `make run` has left one of this state of the project.

    Parsing takes seconds, the result is the same for every home, and that a home without it works is seen wherever there is none.
    """
    given = dict(itertools.pairwise(arguments))
    pack, home = (Path(given[name]) if name in given else None for name in ("--pack", "--home"))
    parsed = WorkspaceFolder(PROJECT / "data" / "demo")
    if (
        arguments[:1] not in (("run",), ("dev",))
        or pack is None
        or home is None
        or home.exists()
        or not (pack / "pack.yml").is_file()
        or not (manifest_path(parsed).is_file() and parsed_path(parsed).is_file())
    ):
        return
    with suppress(PackError):  # a pack that cannot be loaded writes nothing
        fresh = WorkspaceFolder(home)
        fresh.claim(packs.load(pack).id)
        fresh.dbt.mkdir()
        for path in (parsed_path(parsed), manifest_path(parsed)):
            shutil.copy(path, fresh.dbt)


def zpo2(*arguments: str | Path, timeout: float = 600, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `zpo2` with `arguments` and return what it printed and its exit code."""
    spare_parsing(arguments)
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        env=environment(**variables), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def start(*arguments: str | Path, log: Path | None = None, **variables: str) -> subprocess.Popen[str]:
    """Start `zpo2` in a process group of its own, so that a test can kill it with its children.

    What it says goes to the file `log`; without one into a pipe, which blocks whoever says more than it holds.
    """
    spare_parsing(arguments)
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        env=environment(**variables), stdout=log.open("w") if log else subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
