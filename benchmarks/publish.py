"""What publishing costs: a release of packs/cz against a bare write of the same tables by DuckDB and pyarrow, and what the release weighs.

A second release follows, in which the values of one indicator differ; the files that did not change are links.

The bare write sorts each table of the warehouse by its key and writes it as CSV and Parquet (zstd) and into a DuckDB file. It rounds, checks,
describes, compares and flushes nothing, and makes no file by indicator. Both run in processes of their own, in turn.
Run it alone: `python benchmarks/publish.py [HOME]`; without a HOME of packs/cz one is made, from `../shared/data/mirror` or `ZPO2_MIRROR`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from benchmarks import real_files  # noqa: E402

CZ = PROJECT / "packs" / "cz"


def ours(home: Path, out: Path) -> dict[str, Any]:
    """Build the release of what `home` holds into `out`; it is the second one there if `out` has the first."""
    import exports
    from pipelines import packs
    from pipelines.core.settings import Settings
    from pipelines.core.workspace import WorkspaceFolder
    from pipelines.orchestration.assets.publication import release_info
    from pipelines.packs.workspace import Workspace
    from pipelines.warehouse import dbt, marts

    place = WorkspaceFolder(home)
    second = (out / "public").is_dir()
    warehouse = _with_other_values(place.warehouse, out) if second else place.warehouse
    tables = marts.published_tables(dbt.load_manifest(place), place.warehouse)
    info = release_info(Workspace(home, Settings(), pack=packs.load(CZ)))
    began = time.perf_counter()
    told = [(began, "tables")]
    release = exports.build(
        warehouse, tables, info, out / "public", out / "staging", {"gate": {}}, lambda text: told.append((time.perf_counter(), text))
    )
    ended = time.perf_counter()
    steps = [*told[1:], (ended, "")]
    seconds = {text: after - at for (at, text), (after, _) in itertools.pairwise(steps) if ": " not in text}
    return {
        "seconds": ended - began,
        "steps": {"the tables as CSV and Parquet, and what changed": ended - began - sum(seconds.values()), **seconds},
        "written": sum(p.stat().st_size for p in release.path.rglob("*") if p.is_file() and p.stat().st_nlink == 1),
        "folders": {
            part: sum(p.stat().st_size for p in release.path.rglob("*") if p.is_file() and p.relative_to(release.path).parts[0] == part)
            for part in sorted(p.name for p in release.path.iterdir())
        },
    }


def _with_other_values(warehouse: Path, out: Path) -> Path:
    """Return a copy of the warehouse in which the values of the largest indicator differ."""
    import duckdb

    copy = Path(shutil.copy(warehouse, out / "warehouse.duckdb"))
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "update marts.indicator_values set obs_value = obs_value * 1.01 "
            "where indicator = (select mode(indicator order by indicator) from marts.indicator_values)"
        )
    return copy


def bare(home: Path, out: Path) -> dict[str, Any]:
    """Write the same tables with DuckDB and pyarrow."""
    import duckdb
    import pyarrow.parquet as pq

    from pipelines.core.workspace import WorkspaceFolder
    from pipelines.warehouse import dbt, marts

    place = WorkspaceFolder(home)
    tables = marts.published_tables(dbt.load_manifest(place), place.warehouse)
    out.mkdir()
    began = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(f"attach '{place.warehouse}' as warehouse (read_only); attach '{out}/indicators.duckdb' as release")
        for table in tables:
            columns, key = (", ".join(f'"{name}"' for name in names) for names in ([c.name for c in table.columns], table.key))
            connection.execute(
                f'create table release."{table.name}" as select {columns} from warehouse.marts."{table.name}" order by {key}'
            )
            pq.write_table(
                connection.execute(f'from release."{table.name}"').to_arrow_table(), out / f"{table.name}.parquet", compression="zstd"
            )
            connection.execute(f"""copy release."{table.name}" to '{out}/{table.name}.csv' (header)""")
    return {"seconds": time.perf_counter() - began}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", nargs="?", type=Path, help="home of a run of packs/cz")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", choices=["ours", "second", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        numbers = (bare if options.one == "bare" else ours)(options.home, options.out)
        print(json.dumps({**numbers, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2}))
        return 0
    with tempfile.TemporaryDirectory(prefix="zpo2-bench-") as folder:
        home = options.home or _home(Path(folder))
        if home is None:
            return 0
        measured: dict[str, list[dict[str, Any]]] = {"ours": [], "second": [], "bare": []}
        for run in range(options.runs):
            for name, found in measured.items():
                found.append(_measure(name, home.absolute(), Path(folder) / f"{'bare' if name == 'bare' else 'ours'}-{run}"))
        _tell(measured)
    return 0


def _home(folder: Path) -> Path | None:
    mirror = real_files.mirror()
    if mirror is None:
        return None
    command = [sys.executable, "-m", "pipelines.cli", "run", "--pack", str(CZ), "--home", str(folder / "home")]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PROJECT), "ZPO2_MIRROR": str(mirror)}, check=True, stdout=sys.stderr)
    return folder / "home"


def _measure(name: str, home: Path, out: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, str(home), "--one", name, "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _tell(measured: dict[str, list[dict[str, Any]]]) -> None:
    middle = {name: statistics.median(f["seconds"] for f in found) for name, found in measured.items()}
    peak = {name: max(f["peak_gb"] for f in found) for name, found in measured.items()}
    ratios = [o["seconds"] / b["seconds"] for o, b in zip(measured["ours"], measured["bare"], strict=True)]
    weight = measured["ours"][-1]["folders"]
    rows = [
        ("publishing packs/cz", f"{middle['ours']:.1f} s, {peak['ours']:.2f} GB of memory"),
        ("a second release with other values of one indicator", f"{middle['second']:.1f} s, {peak['second']:.2f} GB of memory"),
        ("written for the second release, the rest being links", f"{measured['second'][-1]['written'] / 1e6:.0f} MB"),
        ("bare write of the same tables", f"{middle['bare']:.1f} s, {peak['bare']:.2f} GB of memory"),
        ("**ratio**", f"**{statistics.median(ratios):.1f}**"),
        ("**size of the release**", f"**{sum(weight.values()) / 1e6:.0f} MB**"),
    ]
    print("\n".join(["| what | measured |", "| --- | ---: |", *(f"| {' | '.join(row)} |" for row in rows)]))
    print("\n".join(["", "| step | seconds |", "| --- | ---: |"]))
    print("\n".join(f"| {text} | {seconds:.1f} |" for text, seconds in measured["ours"][-1]["steps"].items()))
    print("\n".join(["", "| part of the release | MB |", "| --- | ---: |"]))
    print("\n".join(f"| `{part}` | {size / 1e6:.1f} |" for part, size in weight.items() if size > 500_000))


if __name__ == "__main__":
    sys.exit(main())
