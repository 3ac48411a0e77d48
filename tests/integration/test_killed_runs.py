"""A run may be killed at any moment: the next one starts clean, and in the end the release has the same bytes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import EPOCH, start, zpo2

pytestmark = pytest.mark.slow


def any_file(*parts: str) -> Callable[[Path], bool]:
    """Whether a file matches a pattern below the home."""
    return lambda home: any(home.joinpath(*parts[:-1]).glob(parts[-1]))


# What stands in the home at the moment of the kill, in the order in which a run gets there.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the home is made": any_file("home.json"),
    "the first bytes are archived": any_file("archive", "blobs/*/*"),
    "fetches are remembered": any_file("fetches.json"),
    "dbt has parsed the project": any_file("..", "cache", "zpo2", "manifest-*.json"),
    "the first lake file is written": any_file("lake", "area_rows/**/*.parquet"),
    "observations are written": any_file("lake", "observations/people/**/*.parquet"),
    "the manifest is written": any_file("manifests", "current.json"),
    "dbt has opened the warehouse": any_file("warehouse.duckdb"),
    "dbt has built the first models": any_file("dbt", "results/before_statistics.json"),
    "the statistics are written": any_file("statistics", "peers.parquet"),
    "dbt has built the models": any_file("dbt", "results/after_statistics.json"),
    "the release is being built": any_file("staging", "**/*"),
}


def released(home: Path) -> dict[str, bytes]:
    """Return every file of the current release that must have the same bytes each time."""
    root = current_release(home)
    files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and p.name != "indicators.duckdb"}
    lines = files["SHA256SUMS"].splitlines()
    files["SHA256SUMS"] = b"\n".join(line for line in lines if not line.endswith(b"indicators.duckdb"))
    return files


def test_a_run_killed_at_every_moment_gives_the_same_bytes_in_the_end(five_home: Path, tmp_path: Path) -> None:
    undisturbed = released(five_home)
    pack = five_places.write(tmp_path / "pack")
    home = tmp_path / "home"
    killed = []
    for moment, reached in MOMENTS.items():
        run = start("run", "--pack", pack, "--home", home, SOURCE_DATE_EPOCH=EPOCH, XDG_CACHE_HOME=str(tmp_path / "cache"))
        while run.poll() is None and not reached(home):
            time.sleep(0.01)
        assert run.poll() is None, f"{moment}: the run ended before: {run.stdout.read() if run.stdout else ''}"
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        killed.append(moment)
        assert not (home / "public" / "latest.json").exists(), moment
    done = zpo2("run", "--pack", pack, "--home", home, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    assert killed == list(MOMENTS)
    again = released(home)
    assert sorted(again) == sorted(undisturbed)
    assert [name for name in again if again[name] != undisturbed[name]] == []
    assert zpo2("verify", current_release(home)).returncode == 0
    assert not [p for p in home.rglob(".part-*") if p.is_file()]
