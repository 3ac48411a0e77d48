"""Digests of what each stage of the pipeline makes of two small packs, and the golden file that holds them.

`python -m tests.support.stage_digests` runs the packs and writes the golden file anew. Do so after you have increased a version in
`pipelines/core/versions.py`.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl

from exports.model import layout
from pipelines.core import versions
from pipelines.core.fingerprint import digest
from tests.conftest import current_release
from tests.support import five_places, rules_pack
from tests.support.command import EPOCH, PROJECT, zpo2

GOLDEN = PROJECT / "tests" / "integration" / "golden" / "stage_versions.json"
PACKS: dict[str, tuple[Callable[[Path], Path], int]] = {"five_places": (five_places.write, 0), "rules": (rules_pack.write, 3)}
"""How each pack is written, and the exit code of its run: an optional source of `rules` never comes."""

SIGNIFICANT_DIGITS = 9
_REAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_IGNORED = {"url", "fetched_at", "reason"}
"""Columns that depend on the place or the time of a run, and the wording of messages, which no version covers."""


def current_versions() -> dict[str, int]:
    """Return the versions of the stages by the name of their constant."""
    return {name: getattr(versions, name) for name in ("LAKE", "WAREHOUSE", "RELEASE")}


def stage_digests(home: Path) -> dict[str, dict[str, str]]:
    """Return by stage the digest of each kind of rows in the lake, of each published table, and of the names of a release's files."""
    release = current_release(home)
    return {
        "LAKE": {kind: _digest_of_rows(rows) for kind, rows in _lake(home).items()},
        "WAREHOUSE": {path.stem: _digest_of_rows(_csv_rows(release, path.stem)) for path in sorted((release / "parquet").iterdir())},
        "RELEASE": {"file names": digest(sorted(_file_names(release)))},
    }


def _file_names(release: Path) -> Iterable[str]:
    """Yield the paths of the files of a release, but not those of the built interface of the site, which no version covers."""
    paths = (path.relative_to(release) for path in release.rglob("*") if path.is_file())
    return (path.as_posix() for path in paths if not path.is_relative_to("site/assets"))


def golden_content(homes: dict[str, Path]) -> dict[str, Any]:
    """Return what the golden file should hold, given a home for each pack."""
    return {"versions": current_versions(), "packs": {name: stage_digests(home) for name, home in homes.items()}}


def _lake(home: Path) -> dict[str, Iterable[dict[str, str]]]:
    manifest = json.loads((home / "manifests" / "current.json").read_text(encoding="utf-8"))
    return {kind: _parquet_rows(home / "lake" / file["path"] for file in files) for kind, files in sorted(manifest["files"].items())}


def _parquet_rows(paths: Iterable[Path]) -> list[dict[str, str]]:
    return [{name: _text(value) for name, value in row.items()} for path in paths for row in pl.read_parquet(path).iter_rows(named=True)]


def _csv_rows(release: Path, table: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in (release / "csv").glob(f"{table}/*.csv" if table in layout.PARTITIONED else f"{table}.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows += [{name: _text(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return rows


def _text(value: Any) -> str:
    """Return the text of a cell. Real numbers are rounded, so that the order of a summation does not count."""
    if isinstance(value, float) or (isinstance(value, str) and _REAL.fullmatch(value)):
        return f"{float(value) + 0.0:.{SIGNIFICANT_DIGITS}g}"
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _digest_of_rows(rows: Iterable[dict[str, str]]) -> str:
    return digest(sorted(sorted((name, text) for name, text in row.items() if name not in _IGNORED) for row in rows))[:16]


def main() -> None:
    """Run the packs in a temporary folder and write the golden file."""
    with tempfile.TemporaryDirectory() as folder:
        homes = {}
        for name, (write, exit_code) in PACKS.items():
            homes[name] = Path(folder) / name / "home"
            pack = write(Path(folder) / name / "pack")
            options = rules_pack.ACCEPT if write is rules_pack.write else ()
            done = zpo2("run", "--pack", pack, "--home", homes[name], *options, SOURCE_DATE_EPOCH=EPOCH)
            if done.returncode != exit_code:
                raise SystemExit(done.stdout + done.stderr)
        content = golden_content(homes)
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(GOLDEN.relative_to(PROJECT))


if __name__ == "__main__":
    main()
