"""The releases of packs/demo and packs/cz before other people's validators and readers. That each can refuse is shown in integration."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely

from exports.formats import boundaries, simplified, topojson
from exports.metadata import report
from exports.model import layout
from tests.support import languages, validators
from tests.support.validators import rows

pytestmark = pytest.mark.acceptance

WHOLE = 600_000
"""Bytes of a CSV file up to which all of it is put before csvwvalidate, which takes minutes for a million rows. To these files others refer."""
ROWS = 1_000
"""About so many rows of a larger one are, spread over all of it."""


def test_csvwvalidate_accepts_every_kind_of_csv_file(real: Path, tmp_path: Path) -> None:
    found = {
        kind: sorted(real.glob(f"{kind}/*.csv"))
        for kind in ("csv", "codelists", "topics", *map(layout.csv_folder, layout.PARTITIONED), "sdmx")
    }
    assert all(files for kind, files in found.items() if kind != "sdmx")
    few = {kind: files if kind in ("csv", "codelists") else files[:: max(1, len(files) // 2)] for kind, files in found.items()}
    metadata = {_spread(real, path, tmp_path) for files in few.values() for path in files}
    for document in metadata:
        _keep_tables(document, {path.name for path in document.parent.glob("*.csv")})
    assert validators.csvw_refuses(sorted(metadata)) == set()


def _spread(real: Path, path: Path, folder: Path) -> Path:
    """Copy a CSV file and its metadata, of a large one the header and every so many-th row; return the copy of the metadata."""
    name = path.relative_to(real).as_posix()
    target, metadata = folder / name, layout.metadata_path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(real / metadata, folder / metadata)
    size = path.stat().st_size
    with path.open(encoding="utf-8", newline="") as rows_of, target.open("w", encoding="utf-8", newline="") as kept:
        step = 1 if size <= WHOLE else max(1, size // 150 // ROWS)
        csv.writer(kept, lineterminator="\n").writerows(itertools.islice(csv.reader(rows_of), 0, None, step))
    return folder / metadata


def _keep_tables(document: Path, names: set[str]) -> None:
    """Leave some files of a table in its metadata: csvwvalidate reads the areas anew for each of them."""
    value = json.loads(document.read_bytes())
    value["tables"] = [table for table in value["tables"] if table.get("suppressOutput") or table["url"] in names]
    document.chmod(0o644)
    document.write_text(json.dumps(value), encoding="utf-8")


def test_frictionless_accepts_the_package(real: Path) -> None:
    tables = [path.stem for path in (real / "csv").glob("*.csv") if path.stat().st_size < 3_000_000]
    assert len(tables) >= 12
    assert validators.frictionless_finds(real, tables) == []
    assert validators.profile_errors(real) == []


def test_mlcroissant_validates_and_loads(real: Path) -> None:
    tables = [path.stem for path in (real / "parquet").glob("*.parquet")]
    assert validators.croissant_loads(real, most=300) == {table: min(300, rows(real, table)) for table in tables}


def test_sdmx1_and_jsonstat_validator_read_what_the_tables_hold(real: Path) -> None:
    names = sorted(path.stem for path in (real / "sdmx").glob("*.csv"))
    assert bool(names) == (real.parts[-4] == "demo"), "packs/demo has every format, and SDMX is made on request"
    some = names[:: max(1, len(names) // 6)]
    for name, observations, total in validators.sdmx_reads(real, some) if some else ():
        assert observations == rows(real, "indicator_values", where=f"indicator = '{name}' and time_period <> ''")
        assert total == pytest.approx(rows(real, "indicator_values", "coalesce(sum(obs_value), 0)", f"indicator = '{name}'"))
    for path in sorted((real / "jsonstat").glob("*.json")):
        name, values = path.stem, validators.jsonstat_values(path)
        assert values == rows(real, "indicator_values", "count(obs_value)", f"indicator = '{name}'"), name


def test_the_maps_are_geoparquet(real: Path) -> None:
    files = sorted((real / "geo").glob("*.parquet"))
    assert len(files) > 1
    assert {path.name: validators.geoparquet_fails(path) for path in files} == {path.name: [] for path in files}


def test_the_maps_of_cz_are_within_their_budget(cz_release: Path) -> None:
    levels = {level["level"]: level for level in json.loads((cz_release / layout.BOUNDARIES).read_bytes())["levels"]}
    assert {name: (level["boundaries"], level["missing"], level["areas_missing"]) for name, level in levels.items()} == {
        name: (areas, [], {}) for name, areas in (("lau", 6258), ("orp", 206), ("okres", 77), ("nuts3", 14), ("nuts0", 1))
    }
    packed = {path: simplified.packed((cz_release / path).read_bytes()) for path in boundaries.described({"levels": levels.values()})}
    assert packed["geo/lau.topojson"] <= 350_000
    assert packed["geo/okres.topojson"] <= 13_000
    parts = [part["topojson"] for part in levels["lau"]["parts"]]
    assert len(parts) == 14
    assert max(packed[path] for path in parts) <= 60_000
    shapes = topojson.decode(json.loads((cz_release / "geo/lau.topojson").read_bytes()))
    assert shapely.coverage_is_valid(list(shapes.values()))
    assert len(levels["lau"]["points_outside"]) < 30  # they are the points of namesakes elsewhere


def test_pyarrow_duckdb_and_hyparquet_agree(real: Path, tmp_path: Path) -> None:
    for table, counts in validators.hyparquet_counts(real, tmp_path).items():
        file = pq.ParquetFile(real / "parquet" / f"{table}.parquet")
        assert counts["rows"] == file.metadata.num_rows == rows(real, table), table
        for name, values in counts["values"].items():
            assert values == rows(real, table, f'count("{name}")'), (table, name)


def test_a_cz_release_is_within_its_budget(cz_release: Path) -> None:
    counted = [path for path in cz_release.rglob("*") if path.is_file() and path.relative_to(cz_release).parts[0] not in ("api", "site")]
    sizes = [path.stat().st_size for path in counted]
    bare = 0
    for path in cz_release.glob("csv/**/*.csv"):
        with path.open("rb") as file:
            is_first = path.parent.name == "csv" or path == min(path.parent.glob("*.csv"))
            bare += path.stat().st_size - (0 if is_first else len(file.readline()))
    assert sum(sizes) <= report.RATIO * bare
    assert len(sizes) <= report.FILES
    assert json.loads((cz_release / "quality" / "report.json").read_bytes())["size"]["within_budget"]


def test_every_text_for_people_has_both_languages(real: Path) -> None:
    assert list(languages.of_release(real, ["en", "cs"])) == []
