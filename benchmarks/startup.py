"""Measure what a run costs before there is any work: a pack of one area, cold, and again with another value; and where the seconds go.

Prints Markdown; `--json` also writes the results to a file. The steps come from the workspace's `metrics.jsonl` and
from the results of dbt, the imports from `python -X importtime`. An import counts for the package that it belongs to, not for the one that
asked for it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from benchmarks import process_cost, scale_pack  # noqa: E402
from benchmarks.scale import environment, zpo2_run  # noqa: E402

SHOWN = 12
DBT = [sys.executable, "-W", "ignore", "-m", "dbt.cli.main"]
IMPORTED = re.compile(r"^import time: +([0-9]+) \| +[0-9]+ \| +([A-Za-z0-9_]+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One run: its CPU and wall seconds, and the wall seconds of its steps."""

    cpu: float
    wall: float
    steps: dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="File for all results.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zpo2-startup-") as folder:
        work, size = Path(folder), scale_pack.SIZES["one"]
        pack, home = scale_pack.write(work / "pack", size), work / "home"
        runs = {"cold": _run(pack, home)}
        scale_pack.change_one_value(pack, size)
        runs["another value"] = _run(pack, home)
        scale_pack.change_one_value(pack, size)
        imports = {
            "`zpo2 run`": _imports([sys.executable, "-X", "importtime", *zpo2_run(pack, home)[1:]]),
            "dbt": _imports([sys.executable, "-X", "importtime", "-c", "import dbt.cli.main, dbt.adapters.duckdb"]),
        }
        alone = _alone(home, work)
    print(
        "\n".join(
            [
                *_run_table(runs),
                "",
                *_alone_table(alone),
                *(line for name, packages in imports.items() for line in _import_table(name, packages)),
            ]
        )
    )
    if options.json:
        results = {"runs": {name: vars(run) for name, run in runs.items()}, "commands": alone, "imports": imports}
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _run(pack: Path, home: Path) -> Run:
    cost = _measure(zpo2_run(pack, home))
    if "(unchanged)" in cost.output:
        raise SystemExit(f"expected a run with another value:\n{cost.output}")
    metrics = json.loads((home / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    steps = {"dbt": _dbt_seconds(home)} | metrics["seconds"]
    return Run(
        cost.cpu_seconds, cost.wall_seconds, steps | {"the rest: imports, Dagster, parsing": cost.wall_seconds - sum(steps.values())}
    )


def _dbt_seconds(home: Path) -> float:
    """Return the seconds of both selections of models."""
    results = (home / "dbt" / "results").glob("*.json")
    return sum(float(json.loads(path.read_text(encoding="utf-8"))["elapsed_time"]) for path in results)


def _alone(home: Path, work: Path) -> dict[str, tuple[float, float]]:
    """Return the CPU and wall seconds of commands by themselves."""
    variables = {"ZPO2_HOME": str(home), "DBT_TARGET_PATH": str(work / "target"), "DBT_LOG_PATH": str(work / "target")}
    project = PROJECT / "dbt_project"
    shutil.copytree(home, work / "copy")
    commands = {
        "`python -c pass`": [sys.executable, "-c", "pass"],
        "`zpo2 --version`": [sys.executable, "-m", "pipelines.cli", "--version"],
        "`import dagster, dagster_dbt`": [sys.executable, "-c", "import dagster, dagster_dbt"],
        "`import great_expectations`": [sys.executable, "-c", "import great_expectations"],
        "`dbt --version`": [*DBT, "--version"],
        "`dbt parse`": [*DBT, "--quiet", "parse"],
        "`dbt parse`, again": [*DBT, "--quiet", "parse"],
        "`dbt build`, parsed": [*DBT, "--quiet", "build", "--exclude-resource-type", "unit_test"],
    }
    costs = {}
    for title, command in commands.items():
        folder = project if command[: len(DBT)] == DBT else None
        costs[title] = _measure(command, {**variables, "ZPO2_HOME": str(work / "copy")}, folder)
    return {title: (cost.cpu_seconds, cost.wall_seconds) for title, cost in costs.items()}


def _imports(command: list[str]) -> dict[str, float]:
    """Return the seconds that the modules of each package take to import, longest first."""
    seconds: dict[str, float] = {}
    for microseconds, package in IMPORTED.findall(_measure(command).output):
        seconds[package] = seconds.get(package, 0.0) + int(microseconds) / 1e6
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def _measure(command: list[str], variables: dict[str, str] | None = None, folder: Path | None = None) -> process_cost.Cost:
    print(f"running {' '.join(command[1:6])}", file=sys.stderr, flush=True)
    cost = process_cost.measure(command, environment() | (variables or {}), folder=folder)
    if cost.exit_code != 0:
        raise SystemExit(f"{' '.join(command)} ended with {cost.exit_code}:\n{cost.output[-3000:]}")
    return cost


# ------------------------------------------------------------------------------------------------------------------------- tables


def _run_table(runs: dict[str, Run]) -> list[str]:
    steps = list(dict.fromkeys(step for run in runs.values() for step in run.steps))
    return [
        f"| a pack of one area, seconds | {' | '.join(runs)} |",
        f"| --- |{' ---: |' * len(runs)}",
        f"| **wall** | {' | '.join(f'**{run.wall:.1f}**' for run in runs.values())} |",
        f"| CPU | {' | '.join(f'{run.cpu:.1f}' for run in runs.values())} |",
        *(f"| {step} | {' | '.join(f'{run.steps.get(step, 0):.1f}' for run in runs.values())} |" for step in steps),
    ]


def _alone_table(alone: dict[str, tuple[float, float]]) -> list[str]:
    rows = [f"| {title} | {cpu:.1f} | {wall:.1f} |" for title, (cpu, wall) in alone.items()]
    return ["| by itself | CPU s | wall s |", "| --- | ---: | ---: |", *rows]


def _import_table(name: str, packages: dict[str, float]) -> list[str]:
    shown = [f"| {package} | {seconds:.2f} |" for package, seconds in list(packages.items())[:SHOWN]]
    others = sum(list(packages.values())[SHOWN:])
    head = ["", f"| imports of {name}: {sum(packages.values()):.1f} s | seconds |", "| --- | ---: |"]
    return [*head, *shown, f"| all others | {others:.2f} |"]


if __name__ == "__main__":
    raise SystemExit(main())
