"""Measure what hostile sources cost a run, and what the limits of the reading process cost packs/cz.

First `zpo2 run` of a pack of one good source, alone and beside one hostile file or server, with the default limits, each in a new workspace. Then
the ingest of packs/cz, each in turn with the process of its own that reads files and without it. Prints Markdown. The second part needs the
mirror of the pack's files: `../shared/data/mirror`, or `ZPO2_MIRROR`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from benchmarks import process_cost, real_files  # noqa: E402
from benchmarks.process_cost import Cost  # noqa: E402
from pipelines import readers  # noqa: E402
from pipelines.core.settings import Settings  # noqa: E402
from pipelines.extract.sources import fetch_sources  # noqa: E402
from pipelines.lake.ingest import Ingest  # noqa: E402
from pipelines.packs.workspace import Workspace  # noqa: E402
from pipelines.readers import isolated  # noqa: E402
from tests.hostile import endless, exhausting, pack, test_run_beside_servers  # noqa: E402
from tests.hostile.test_exhausting import declaration  # noqa: E402
from tests.support.wire import listening  # noqa: E402

CZ = PROJECT / "packs" / "cz"
FILES = {case.id: case for case in exhausting.CASES}
SERVERS = {attack.id: attack for attack in endless.ATTACKS}
BESIDE = ("xlsx_far_cell", "xml_more_siblings", "json_records", "status_line_slow", "gzip_slow")
REFUSED_SOURCES = 3
"""The exit code of a run that released what it could, without a source."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", nargs="*", default=BESIDE, choices=sorted(FILES | SERVERS), help="the hostile files and servers")
    parser.add_argument("--rounds", type=int, default=3, help="how often packs/cz is ingested in each way")
    parser.add_argument("--ingest", nargs=3, metavar=("PACK", "HOME", "WAY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ingest:
        return _ingest(Path(given.ingest[0]), Path(given.ingest[1]), given.ingest[2])
    with tempfile.TemporaryDirectory(prefix="zpo2-bench-") as folder:
        _measure_runs(Path(folder), given.beside)
        mirror = real_files.mirror()
        if mirror is not None:
            _measure_ingest(Path(folder), mirror, given.rounds)
    return 0


# ----------------------------------------------------------------------------------------------------- a run beside a hostile source


def _measure_runs(work: Path, beside: list[str]) -> None:
    _run(work / "first", None)  # parses the dbt project, which later runs reuse
    alone = _run(work / "alone", None)
    print("| a run of one good source | wall | CPU | memory of all processes | longer |\n| --- | ---: | ---: | ---: | ---: |")
    print(_line("alone", alone, alone))
    for name in beside:
        print(_line(f"beside `{name}`: {(FILES.get(name) or SERVERS[name]).what}", _run(work / name, name), alone), flush=True)
    print()


def _line(title: str, cost: Cost, alone: Cost) -> str:
    more = cost.wall_seconds - alone.wall_seconds
    return (
        f"| {title} | {cost.wall_seconds:.1f} s | {cost.cpu_seconds:.1f} s | {cost.peak_bytes / 1e9:.2f} GB "
        f"| {more:+.1f} s, {cost.wall_seconds / alone.wall_seconds:.1f} times |"
    )


def _run(folder: Path, hostile: str | None) -> Cost:
    """Run the pack with the hostile source of this name, or without one. Raises SystemExit where the run did not end as expected."""
    root, home = pack.write(folder / "pack", []), folder / "home"
    with _source(root, hostile):
        words = [sys.executable, "-m", "pipelines.cli", "run", "--pack", str(root), "--home", str(home)]
        cost = process_cost.measure(words, {**os.environ, "ZPO2_ALLOW_HOSTS": "127.0.0.1"}, folder=PROJECT)
    expected = REFUSED_SOURCES if hostile else 0
    if cost.exit_code != expected:
        raise SystemExit(f"{hostile or 'the good source alone'}: exit code {cost.exit_code}, expected {expected}\n{cost.output}")
    return cost


@contextmanager
def _source(root: Path, name: str | None) -> Iterator[None]:
    """Add the hostile source to the pack in `root`; its server, if it has one, answers inside of `with`."""
    if name in FILES:
        (root / "sources" / f"{name}.yml").write_text(declaration(FILES[name]), encoding="utf-8")
        FILES[name].write(root / "data" / f"{name}.bin")
        yield
    elif name in SERVERS:
        with listening(SERVERS[name].answer) as url:
            text = test_run_beside_servers.declaration(SERVERS[name], url)
            (root / "sources" / f"{name}.yml").write_text(text, encoding="utf-8")
            yield
    else:
        yield


# ------------------------------------------------------------------------------------------------------- the limits, on packs/cz


def _measure_ingest(work: Path, mirror: Path, rounds: int) -> None:
    root, home = shutil.copytree(CZ, work / "cz"), work / "cz-home"
    fetch_sources(_workspace(root, home, mirror))
    costs: dict[str, list[Cost]] = {"own-process": [], "same-process": []}
    rows = set()
    for number in range(rounds):
        for way, measured in costs.items():
            copy = shutil.copytree(home, work / f"{way}-{number}", symlinks=True, copy_function=os.link)
            words = [sys.executable, str(Path(__file__)), "--ingest", str(root), str(copy), way]
            cost = process_cost.measure(words, os.environ, folder=PROJECT)
            if cost.exit_code:
                raise SystemExit(cost.output)
            measured.append(cost)
            rows.add(json.loads(cost.output.splitlines()[-1])["rows"])
            shutil.rmtree(copy)
    if len(rows) != 1:
        raise SystemExit(f"the two ways gave different numbers of rows: {sorted(rows)}")
    print(f"packs/cz, {rows.pop():,} accepted rows, the median of {rounds} rounds:\n")
    print("| ingest | wall | CPU | memory of all processes |\n| --- | ---: | ---: | ---: |")
    for title, way in (
        ("files read by a process of their own, with limits", "own-process"),
        ("files read by the run itself", "same-process"),
    ):
        wall, cpu, memory = (statistics.median(values) for values in _figures(costs[way]))
        print(f"| {title} | {wall:.1f} s | {cpu:.1f} s | {memory / 1e9:.2f} GB |")


def _workspace(root: Path, home: Path, mirror: Path | None = None) -> Workspace:
    workspace = Workspace.load(Settings(pack=root, home=home, mirror=mirror))
    workspace.open()
    return workspace


def _figures(costs: list[Cost]) -> tuple[list[float], list[float], list[float]]:
    return [c.wall_seconds for c in costs], [c.cpu_seconds for c in costs], [float(c.peak_bytes) for c in costs]


def _ingest(root: Path, home: Path, way: str) -> int:
    """Read all files of the workspace into its lake, and print the number of accepted rows."""
    if way == "same-process":
        isolated.read = lambda path, options, columns, limits, folder: readers.read(path, options, columns)
    reports = Ingest(_workspace(root, home)).run()
    print(json.dumps({"rows": sum(report.accepted for report in reports.values())}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
