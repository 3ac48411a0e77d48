"""Measure what intervals cost: the seconds and the bytes that they, the comparisons and the trends add to packs/cz.

Runs the pack as it is, and without the declarations of intervals, each in a workspace of its own. Prints Markdown. Needs the mirror of the pack's
files: `../shared/data/mirror`, or `ZPO2_MIRROR`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from benchmarks import process_cost, real_files  # noqa: E402

CZ = PROJECT / "packs" / "cz"
DECLARED = re.compile(r"^  interval: .*\n", re.MULTILINE)
AIM = 0.10


@dataclass(frozen=True)
class Cost:
    """What a run took: processor seconds and seconds, and the megabytes of its release and of its Parquet files."""

    cpu: float
    seconds: float
    megabytes: float
    parquet: float


def main() -> int:
    mirror = real_files.mirror()
    if mirror is None:
        return 0
    with tempfile.TemporaryDirectory(prefix="zpo2-bench-") as folder:
        work = Path(folder)
        without = shutil.copytree(CZ, work / "without")
        declared = 0
        for path in (without / "indicators").glob("*.yml"):
            text, removed = DECLARED.subn("", path.read_text(encoding="utf-8"))
            path.write_text(text, encoding="utf-8")
            declared += removed
        costs = {
            "with intervals": _run(CZ, work / "with-home", mirror),
            "without": _run(without, work / "without-home", mirror),
        }
    print(f"{declared} indicators declare an interval.\n")
    print("| packs/cz, first run | CPU s | seconds | release, MB | Parquet, MB |\n| --- | --- | --- | --- | --- |")
    for name, cost in costs.items():
        print(f"| {name} | {cost.cpu:.0f} | {cost.seconds:.0f} | {cost.megabytes:.0f} | {cost.parquet:.1f} |")
    a, b = costs.values()
    print(f"\nIntervals add {a.cpu / b.cpu - 1:.0%} CPU seconds (aim: at most {AIM:.0%}) and {a.megabytes - b.megabytes:.0f} MB.")
    return 0


def _run(pack: Path, home: Path, mirror: Path) -> Cost:
    command = [sys.executable, "-m", "pipelines.cli", "run", "--pack", str(pack), "--home", str(home)]
    run = process_cost.measure(command, {**os.environ, "ZPO2_MIRROR": str(mirror)}, folder=PROJECT)
    if run.exit_code:
        raise SystemExit(run.output)
    (release,) = (home / "public" / "releases").iterdir()
    return Cost(run.cpu_seconds, run.wall_seconds, _megabytes(release), _megabytes(release / "parquet"))


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
