"""Measure what the framework costs: `zpo2 run` of packs/cz against the floor, an unchanged run against the first, and where the time goes.

Prints Markdown. Needs the mirror of the pack's files: `../shared/data/mirror`, or `ZPO2_MIRROR`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from benchmarks import real_files  # noqa: E402

CZ = PROJECT / "packs" / "cz"
ONE_AREA = {
    "pack.yml": "id: one\ntitle: One area\ncountry: CZ\nlevels: [{id: lau}]\n",
    "sources/areas.yml": (
        "id: areas\ntitle: Areas\npublisher: Nobody\nlicence: CC0-1.0\ntheme: municipal\nfetch: {url: areas.csv}\nread: {format: csv}\n"
        "columns: {code: {required: true}}\ninto: areas\nmap:\n  area: {ref_area: code, level: \"'lau'\", name: code, codes: {code: code}}\n"
    ),
    "sources/people.yml": (
        "id: people\ntitle: People\npublisher: Nobody\nlicence: CC0-1.0\ntheme: census\nfetch: {url: people.csv}\nread: {format: csv}\n"
        "columns: {code: {required: true}, persons: {type: integer}}\ninto: observations\n"
        "map:\n  area: {scheme: code, code: code}\n  period: 2020\n  measures: {population: persons}\n"
    ),
    "indicators/population.yml": (
        "id: population\ntitle: Inhabitants\nobjective: ZPO2-1\nunit: persons\ndirection: none\n"
        "formula: {numerator: [{measure: population}]}\nlevels: [lau]\n"
    ),
    "areas.csv": "code\na1\n",
    "people.csv": "code,persons\na1,10\n",
}
AIMS = {"cold": 2.0, "unchanged": 0.1, "memory": 2.0}


@dataclass(frozen=True)
class Measured:
    """One command: its wall-clock seconds, the largest memory of any of its processes, and what it printed."""

    seconds: float
    peak_gb: float
    out: str


def main() -> int:
    mirror = real_files.mirror()
    if mirror is None:
        return 0
    with tempfile.TemporaryDirectory(prefix="zpo2-bench-") as folder:
        work = Path(folder)
        floor = _measure([sys.executable, str(PROJECT / "benchmarks" / "floor.py"), str(mirror), str(work / "floor")])
        start_up = _measure(_zpo2(_one_area(work / "one"), work / "one-home"))
        cold = _measure(_zpo2(CZ, work / "cz"), ZPO2_MIRROR=str(mirror))
        profile = [*_steps(work / "cz"), *_models(work / "cz")]  # before the next run changes them
        again = _measure(_zpo2(CZ, work / "cz"), ZPO2_MIRROR=str(mirror))
        if "(unchanged)" not in again.out:
            raise SystemExit(f"the second run was not an unchanged one:\n{again.out}")
        print("\n".join([*_ratios(floor, start_up, cold, again), "", *_floor_profile(floor), "", *profile, "", _agreement(work)]))
    return 0


def _zpo2(pack: Path, home: Path) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", "run", "--pack", str(pack), "--home", str(home)]


def _one_area(folder: Path) -> Path:
    for name, text in ONE_AREA.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


# runs a command and says, last, how large the largest of its processes became; kilobytes on Linux
PROBE = (
    "import resource, subprocess, sys\ncode = subprocess.call(sys.argv[1:])\n"
    "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\nsys.exit(code)"
)


def _measure(command: list[str], **variables: str) -> Measured:
    """Run `command` with a clean environment. Raises SystemExit with what it said where it fails."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZPO2_") and k not in ("SOURCE_DATE_EPOCH", "DAGSTER_HOME")}
    print(f"running {' '.join(Path(c).name for c in command[1:5])}", file=sys.stderr, flush=True)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *command],
        env={**clean, "PYTHONPATH": str(PROJECT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    out, _, peak = done.stdout.rstrip().rpartition("\npeak ")
    return Measured(seconds, int(peak) / 1024**2, out)


def _ratios(floor: Measured, start_up: Measured, cold: Measured, again: Measured) -> list[str]:
    work = cold.seconds - start_up.seconds
    rows = [
        ("floor: bare polars, DuckDB, pyarrow", f"{floor.seconds:.1f} s", ""),
        ("start-up: `zpo2 run` of a pack of one area, cold", f"{start_up.seconds:.1f} s", ""),
        ("cold `zpo2 run` of packs/cz", f"{cold.seconds:.1f} s", ""),
        ("unchanged second run", f"{again.seconds:.1f} s", ""),
        ("**(cold - start-up) / floor**", f"**{work / floor.seconds:.2f}**", f"at most {AIMS['cold']}"),
        ("**unchanged / cold**", f"**{again.seconds / cold.seconds:.3f}**", f"at most {AIMS['unchanged']}"),
        ("**peak memory of the cold run**, its largest process", f"**{cold.peak_gb:.2f} GB**", f"under {AIMS['memory']:.0f} GB"),
        ("peak memory of the floor", f"{floor.peak_gb:.2f} GB", ""),
    ]
    return ["| what | measured | aim |", "| --- | ---: | --- |", *(f"| {' | '.join(row)} |" for row in rows)]


def _floor_profile(floor: Measured) -> list[str]:
    steps = json.loads(floor.out.splitlines()[-1])["steps"]
    return ["| step of the floor | seconds |", "| --- | ---: |", *(f"| {step} | {seconds:.1f} |" for step, seconds in steps.items())]


def _steps(home: Path) -> list[str]:
    """Return the seconds of each of Dagster's steps, and of what came before the first one, from the home's event log."""
    spans: dict[str, list[float]] = {}
    for log in home.glob("dagster/history/runs/*.db"):
        with sqlite3.connect(log) as connection:
            rows = connection.execute(
                "select step_key, dagster_event_type, event from event_logs where dagster_event_type in ('STEP_START', 'STEP_SUCCESS') order by id"
            ).fetchall()
        for step, kind, event in rows:
            at = float(json.loads(event)["timestamp"])
            spans.setdefault(step, [at, at])[0 if kind == "STEP_START" else 1] = at
    head = ["| step of the cold run | seconds |", "| --- | ---: |"]
    if not spans:
        return [*head, "| (Dagster's event log was not found) | |"]
    rows = [(step, end - start) for step, (start, end) in spans.items()]
    before = min(start for start, _ in spans.values()) - (home / "home.json").stat().st_mtime
    return [
        *head,
        f"| fetching, importing Dagster, parsing the dbt project | {before:.1f} |",
        *(f"| {step} | {seconds:.1f} |" for step, seconds in rows),
    ]


def _models(home: Path, count: int = 12) -> list[str]:
    """Return the slowest models and tests of dbt's two commands."""
    found: list[dict[str, Any]] = [json.loads(path.read_text(encoding="utf-8")) for path in (home / "dbt" / "results").glob("*.json")]
    nodes = sorted(((r["execution_time"], r["unique_id"].split(".")) for part in found for r in part["results"]), reverse=True)
    tests = sum(seconds for seconds, name in nodes if name[0] == "test")
    models = [(name[2], seconds) for seconds, name in nodes if name[0] == "model"]
    rows = [*models[:count], ("all other models", sum(s for _, s in models[count:])), ("all tests", tests)]
    head = [f"| dbt: {sum(part['elapsed_time'] for part in found):.1f} s, two threads | seconds |", "| --- | ---: |"]
    return ["", *head, *(f"| {name} | {seconds:.1f} |" for name, seconds in rows)]


def _agreement(work: Path) -> str:
    """Return how many values the floor and the release have in common: a floor that computes something else would be none."""
    latest = json.loads((work / "cz" / "public" / "latest.json").read_text(encoding="utf-8"))
    release = work / "cz" / "public" / latest["path"] / "parquet" / "indicator_values.parquet"
    both, same = duckdb.execute(
        f"""select count(*), count(*) filter (where abs(f.obs_value - r.obs_value) <= 1e-9 * greatest(1, abs(r.obs_value)))
        from '{work}/floor/parquet/indicator_values.parquet' as f inner join '{release}' as r using (indicator, ref_area, time_period, sex, age)
        where f.obs_value is not null and r.obs_value is not null"""
    ).fetchall()[0]
    total = duckdb.execute(f"select count(obs_value) from '{release}'").fetchall()[0][0]
    return f"Of {total} values of the release the floor has {both}, and {same} of them are equal."


if __name__ == "__main__":
    raise SystemExit(main())
