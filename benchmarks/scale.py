"""Measure how cost grows with a pack: CPU, wall, memory of all processes and disk of generated packs, against the bare floor.

    python benchmarks/scale.py --size 4x                          all parts of a pack of four times the size of Czechia
    python benchmarks/scale.py --size 16x --limit 6GB --memory 4GB --parts floor cold
    python benchmarks/scale.py --areas 300 --years 3 --measures 5

The parts, in this order: `floor` (DuckDB alone, see scale_floor.py), `start-up` (a cold run of a pack of one area), `cold`, `changed`
(one value of one source is another), `unchanged`, and `dbt` (a plain `dbt build` of the same project on the finished workspace, for
comparison). Each is a process of its own, one after the other. Prints Markdown; `--json` also writes the results to a file.
`--limit` runs every part in a cgroup with that limit, `--memory` is passed on as ZPO2_MEMORY.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

import duckdb  # noqa: E402

from benchmarks import process_cost, scale_pack  # noqa: E402
from benchmarks.process_cost import Cost  # noqa: E402
from benchmarks.scale_pack import SIZES, Size  # noqa: E402

PARTS = ("floor", "start-up", "cold", "changed", "unchanged", "dbt")
TITLES = {
    "floor": "floor: bare DuckDB",
    "start-up": "start-up: a pack of one area, cold",
    "cold": "cold `zpo2 run`",
    "changed": "one value of one source changed",
    "unchanged": "unchanged",
    "dbt": "plain `dbt build` of the same project",
}
# bytes of disk for each observation: measured with all formats of a release, and rounded up; and for a pack of any size
DISK_OF_FLOOR, DISK_OF_WAREHOUSE, DISK_OF_RELEASE, DISK_OF_SPILL, DISK_OF_ANY = 110, 120, 420, 100, 100_000_000


@dataclass
class Benchmark:
    """One size, where its files are, and how its commands run."""

    size: Size
    work: Path
    limit: int | None = None
    memory: str | None = None
    floor_memory: str = "2GB"
    costs: dict[str, Cost] = field(default_factory=dict)
    disk: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    agreement: dict[str, int] = field(default_factory=dict)

    @property
    def pack(self) -> Path:
        return self.work / "pack"

    @property
    def home(self) -> Path:
        return self.work / "home"

    def run(self, parts: list[str]) -> None:
        """Measure the parts. A part that fails is noted, and those after it that need its workspace are left out."""
        _say("writing the pack")
        scale_pack.write(self.pack, self.size)
        for part in PARTS:
            if part in parts:
                _say(TITLES[part])
                {"floor": self._floor, "start-up": self._start_up, "dbt": self._dbt}.get(part, lambda p=part: self._run(p))()

    def _floor(self) -> None:
        out = self.work / "floor"
        command = [sys.executable, str(PROJECT / "benchmarks" / "scale_floor.py"), str(self.pack), str(out)]
        self._measure("floor", [*command, "--multiplier", str(scale_pack.MULTIPLIER), "--memory", self.floor_memory], out)

    def _start_up(self) -> None:
        pack = scale_pack.write(self.work / "one", SIZES["one"])
        self._measure("start-up", zpo2_run(pack, self.work / "one-home"), self.work / "one-home")

    def _run(self, part: str) -> None:
        if part != "cold" and "cold" not in self.costs:
            self.failures[part] = "not run: it needs the workspace of a cold run"
            return
        if part == "changed":
            scale_pack.change_one_value(self.pack, self.size)
        self._measure(part, zpo2_run(self.pack, self.home), self.home)
        if part in self.costs and (part == "unchanged") != ("(unchanged)" in self.costs[part].output):
            del self.costs[part]
            self.failures[part] = "failed: the run found " + ("a change" if part == "unchanged" else "no change")
        if part == "cold" and "floor" in self.costs and "cold" in self.costs:
            self.agreement = _agreement(self.home, self.work / "floor", self.size)

    def _dbt(self) -> None:
        if "cold" not in self.costs:
            self.failures["dbt"] = "not run: it needs the workspace of a cold run"
            return
        for name in ("warehouse.duckdb", "warehouse.duckdb.wal"):
            (self.home / name).unlink(missing_ok=True)  # all models are built, from nothing
        dbt = [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "build", "--exclude-resource-type", "unit_test", "--no-use-colors"]
        target = self.work / "dbt"
        variables = {
            "ZPO2_HOME": str(self.home), "DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DBT_VERSION_CHECK": "false",
        }  # fmt: skip
        self._measure("dbt", dbt, self.home, PROJECT / "dbt_project", variables)

    def _measure(
        self, part: str, command: list[str], output: Path, folder: Path | None = None, variables: dict[str, str] | None = None
    ) -> None:
        cost = process_cost.measure(command, environment(self.memory) | (variables or {}), self.limit, folder)
        if cost.exit_code == 0:
            self.costs[part], self.disk[part] = cost, process_cost.disk_used(output)
            _say(f"  {cost.cpu_seconds:.1f} CPU s, {cost.wall_seconds:.1f} s, {_gigabytes(cost.peak_bytes)} GB of memory")
            return
        reason = " ".join(cost.output.strip()[-2000:].splitlines()[-1:]) or f"ended with {cost.exit_code}"
        if cost.out_of_memory:
            reason = f"the kernel ended a process for lack of memory at the limit of {_gigabytes(self.limit or 0)} GB"
        self.failures[part] = f"failed after {cost.wall_seconds:.0f} s and {_gigabytes(cost.peak_bytes)} GB: {reason}"
        _say(f"{TITLES[part]} {self.failures[part]}\n{cost.output[-3000:]}")

    def ratios(self) -> dict[str, float]:
        """Return how the parts compare."""
        cpu = {part: cost.cpu_seconds for part, cost in self.costs.items()}
        wall = {part: cost.wall_seconds for part, cost in self.costs.items()}
        pairs = [
            ("cold / floor, CPU", cpu, "cold", "floor"),
            ("plain `dbt build` / floor, CPU", cpu, "dbt", "floor"),
            ("cold / plain `dbt build`, CPU", cpu, "cold", "dbt"),
            ("one value changed / cold, wall", wall, "changed", "cold"),
            ("one value changed / cold, CPU", cpu, "changed", "cold"),
            ("unchanged / cold, wall", wall, "unchanged", "cold"),
        ]
        ratios = {title: seconds[one] / seconds[other] for title, seconds, one, other in pairs if {one, other} <= set(seconds)}
        if {"cold", "floor", "start-up"} <= set(cpu):
            ratios["(cold - start-up) / floor, CPU"] = (cpu["cold"] - cpu["start-up"]) / cpu["floor"]
        if {"cold", "start-up"} <= set(cpu):
            ratios["cold - start-up, CPU s per million"] = (cpu["cold"] - cpu["start-up"]) / self.size.observations * 1e6
        return ratios

    def markdown(self) -> str:
        """Return the results as tables."""
        size, millions = self.size, self.size.observations / 1e6
        conditions = [
            f"{size.areas:,} areas x {size.years} years x {size.measures} measures, {size.measures - 1} ratio indicators, {size.levels} levels: "
            f"{size.observations:,} observations; {os.cpu_count()} cores",
            f"a limit of {_gigabytes(self.limit)} GB" if self.limit else "no limit of memory",
            f"ZPO2_MEMORY={self.memory}" if self.memory else "ZPO2_MEMORY not set",
            f"the floor's limit {self.floor_memory}",
            datetime.now(UTC).date().isoformat(),
        ]
        lines = [
            "; ".join(conditions) + ".", "",
            "| what | CPU s | wall s | peak GB of all processes | with page cache | disk GB "
            "| per million: CPU s | wall s | peak GB | disk GB |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]  # fmt: skip
        for part in PARTS:
            if part in self.costs:
                lines.append(_row(TITLES[part], self.costs[part], self.disk[part], None if part == "start-up" else millions))
            elif part in self.failures:
                lines.append(f"| {TITLES[part]} | {self.failures[part].replace('|', ' ')} | | | | | | | | |")
        if self.ratios():
            lines += [
                "",
                "| ratio | measured |",
                "| --- | ---: |",
                *(f"| {title} | {ratio:.3g} |" for title, ratio in self.ratios().items()),
            ]
        if self.agreement:
            lines += ["", "Of the {release:,} values of two indicators in the release the floor has {both:,}, and {equal:,} are equal to nine digits."
                      .format(**self.agreement)]  # fmt: skip
        counted = " and ".join(sorted({cost.counted_by for cost in self.costs.values()}))
        return "\n".join([*lines, *(["", f"Memory was counted by {counted}."] if counted else [])])

    def as_dict(self) -> dict[str, Any]:
        """Return all results."""
        results = {part: _facts(cost) | {"disk_bytes": self.disk[part]} for part, cost in self.costs.items()}
        if "floor" in self.costs:
            results["floor"] |= json.loads(self.costs["floor"].output.splitlines()[-1])  # its steps
        return {
            "size": asdict(self.size), "observations": self.size.observations, "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(), "limit_bytes": self.limit, "zpo2_memory": self.memory, "floor_memory": self.floor_memory, "results": results,
            "failures": self.failures, "ratios": self.ratios(), "agreement": self.agreement,
        }  # fmt: skip


def main() -> int:
    options = _options()
    size = options.of_size
    folder = options.work or Path(tempfile.mkdtemp(prefix="zpo2-scale-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if any(folder.iterdir()):
            raise SystemExit(f"{folder} is not empty; give --work a new folder")
        check_disk(size, options.parts, folder)
        benchmark = Benchmark(size, folder.absolute(), options.limit, options.memory, options.floor_memory)
        try:
            benchmark.run(options.parts)
        except process_cost.NoCgroup as error:
            raise SystemExit(f"no cgroup for --limit can be made on this machine, so no limit would be real: {error}") from None
    finally:
        if options.work is None:
            shutil.rmtree(folder)
    print(benchmark.markdown())
    if options.json:
        options.json.write_text(json.dumps(benchmark.as_dict(), indent=1) + "\n", encoding="utf-8")
    return 1 if benchmark.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="1x", help="A size by name; 1x is about Czechia. Default: 1x.")
    for name in ("areas", "years", "measures", "levels"):
        parser.add_argument(f"--{name}", type=int, help=f"Number of {name}, instead of that of the size.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="What to measure; default: all.")
    parser.add_argument("--limit", type=process_cost.byte_count, help="Real limit of memory for all processes of a part, such as 6GB.")
    parser.add_argument("--memory", help="ZPO2_MEMORY of the runs, such as 4GB.")
    parser.add_argument("--floor-memory", default="2GB", help="DuckDB's memory limit in the floor; default: 2GB.")
    parser.add_argument("--work", type=Path, help="New folder for the pack and the workspaces, which is kept; default: a temporary one.")
    parser.add_argument("--json", type=Path, help="File for all results.")
    options = parser.parse_args()
    numbers = {name: getattr(options, name) for name in ("areas", "years", "measures", "levels")}
    try:
        options.of_size = replace(SIZES[options.size], **{name: number for name, number in numbers.items() if number is not None})
    except ValueError as error:
        parser.error(str(error))
    return options


def environment(memory: str | None = None) -> dict[str, str]:
    """Return this process's environment without the variables that change a run, except ZPO2_MEMORY if it is given."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ZPO2_", "DBT_")) and k not in ("SOURCE_DATE_EPOCH", "DAGSTER_HOME")}
    return clean | {"PYTHONPATH": str(PROJECT)} | ({"ZPO2_MEMORY": memory} if memory else {})


def disk_needed(size: Size, parts: list[str]) -> int:
    """Return an estimate of the bytes that the parts write."""
    runs = {"cold": DISK_OF_WAREHOUSE + DISK_OF_SPILL + DISK_OF_RELEASE, "changed": DISK_OF_RELEASE, "floor": DISK_OF_FLOOR}
    each = sum(count for part, count in runs.items() if part in parts)
    return DISK_OF_ANY + each * size.observations


def check_disk(size: Size, parts: list[str], folder: Path) -> None:
    """Raise SystemExit if the disk has not enough space."""
    needed, free = disk_needed(size, parts), shutil.disk_usage(folder).free
    if needed > free:
        raise SystemExit(
            f"this size needs about {_gigabytes(needed)} GB of disk and {folder} has {_gigabytes(free)} GB free: "
            "free some space, name another folder with --work, or measure fewer parts"
        )


def zpo2_run(pack: Path, home: Path) -> list[str]:
    """Return the command that runs a pack."""
    return [sys.executable, "-m", "pipelines.cli", "run", "--pack", str(pack), "--home", str(home)]


def _agreement(home: Path, floor: Path, size: Size) -> dict[str, int]:
    """Return how many values of the first and the last indicator the release has, the floor has, too, and are equal in both."""
    latest = json.loads((home / "public" / "latest.json").read_text(encoding="utf-8"))
    release = home / "public" / latest["path"] / "parquet" / "indicator_values.parquet"
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(floor / "spill")}) as connection:
        row = connection.execute(
            """select count(r.obs_value), count(f.obs_value), count(*) filter (where abs(f.obs_value - r.obs_value) <= 1e-9 * abs(r.obs_value))
            from read_parquet($release) as r left join read_parquet($floor) as f
                on f.indicator = r.indicator and f.ref_area = r.ref_area and cast(f.time_period as varchar) = r.time_period
            where r.indicator in ('ratio1', $last) and r.obs_value is not null""",
            {"release": str(release), "floor": str(floor / "indicator_values.parquet"), "last": f"ratio{size.measures - 1}"},
        ).fetchall()[0]
    return dict(zip(("release", "both", "equal"), row, strict=True))


def _facts(cost: Cost) -> dict[str, Any]:
    return {name: value for name, value in asdict(cost).items() if name != "output"}


def _row(title: str, cost: Cost, disk: int, millions: float | None) -> str:
    cache = "" if cost.peak_with_cache_bytes is None else _gigabytes(cost.peak_with_cache_bytes)
    cells = [
        title, f"{cost.cpu_seconds:.1f}", f"{cost.wall_seconds:.1f}", _gigabytes(cost.peak_bytes), cache,
        _gigabytes(disk), *([""] * 4 if millions is None else [
            f"{cost.cpu_seconds / millions:.1f}", f"{cost.wall_seconds / millions:.1f}",
            _gigabytes(cost.peak_bytes / millions), _gigabytes(disk / millions),
        ]),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.2f}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
