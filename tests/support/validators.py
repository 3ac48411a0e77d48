"""Other people's validators and readers, each as a function that returns what it found in a release. Asserts nothing of the project's own."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.command import SHARED, environment

PROFILES = SHARED / "standards" / "datapackage-profiles" / "2.0"
HYPARQUET = Path(__file__).parent / "hyparquet"
# `csvwvalidate` on many files, in one process that filters no warnings: in another it accepts too much
CSVWVALIDATE = """
import argparse, sys
from csvw.__main__ import csvwvalidate
given = (argparse.Namespace(url=path, verbose=False, lax=False) for path in sys.argv[1:])
print(*(each.url for each in given if csvwvalidate(each, test=True)), sep="\\n", file=sys.stderr)
"""


def rows(release: Path, table: str, what: str = "count(*)", where: str = "true") -> Any:
    return duckdb.execute(f"select {what} from '{release}/parquet/{table}.parquet' where {where}").fetchall()[0][0]


def csvw_refuses(metadata: Iterable[Path]) -> set[str]:
    """Return the names of those documents that `csvwvalidate` does not accept, with the CSV files they describe."""
    paths = list(metadata)
    done = subprocess.run(
        [sys.executable, "-c", CSVWVALIDATE, *map(str, paths)], env=environment(), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == len(paths)
    return {Path(line).name for line in done.stderr.split("\n") if line.endswith(".json")}


def frictionless_finds(release: Path, tables: Iterable[str] | None = None) -> list[str]:
    """Return the types of errors that frictionless has in the Data Package, or in some of its tables."""
    import frictionless

    package = frictionless.Package(str(release / "datapackage.json"))
    for name in [resource.name for resource in package.resources if tables is not None and resource.name not in tables]:
        package.remove_resource(name)
    return sorted({row[0] for row in package.validate().flatten(["type"])})


def profile_errors(release: Path, **spoiled: dict[str, Any]) -> list[str]:
    """Return what the profiles of Data Package 2.0 find in the descriptor; `spoiled` replaces keys, by name of the profile."""
    import jsonschema

    if not PROFILES.is_dir():
        pytest.skip(f"{PROFILES} does not exist: the profile of Data Package 2.0 is not here")
    found = []
    package = json.loads((release / "datapackage.json").read_bytes())
    for name, parts in (("datapackage", [package]), ("dataresource", package["resources"])):
        schema = json.loads((PROFILES / f"{name}.json").read_bytes())
        validator = jsonschema.validators.validator_for(schema)(schema)
        for part in parts:
            assert part["$schema"] == f"https://datapackage.org/profiles/2.0/{name}.json"
            found += [f"{name}: {error.message}" for error in validator.iter_errors({**part, **spoiled.get(name, {})})]
    return found


def croissant_loads(release: Path, most: int) -> dict[str, int]:
    """Return the rows that mlcroissant loads of each table, at most `most`. Raises mlcroissant.ValidationError."""
    import mlcroissant

    description = release / "croissant.json"
    files = [file["@id"] for file in json.loads(description.read_bytes())["distribution"]]
    dataset = mlcroissant.Dataset(str(description), mapping={name: str(release / name) for name in files})
    assert dataset.metadata.ctx.issues.errors == set()
    assert dataset.metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    return {each.id: sum(1 for _ in itertools.islice(dataset.records(each.id), most)) for each in dataset.metadata.record_sets}


def sdmx_reads(release: Path, indicators: Sequence[str] | None = None) -> Iterator[tuple[str, int, float]]:
    """Yield each indicator, or some, with the number of observations and the sum of the values that sdmx1 reads back.

    Every key and status must be in the code lists of the structure.
    """
    import sdmx

    message = sdmx.read_sdmx(release / "sdmx/structure.xml")
    structure = message.structure["INDICATORS"]
    codes = {d.id: set(d.local_representation.enumerated.items) for d in structure.dimensions if d.id != "TIME_PERIOD"}
    codes |= {a: set(message.codelist[f"CL_{a}"].items) for a in ("OBS_STATUS", "OWN_STATUS")}
    for name in indicators or sorted(path.stem for path in (release / "sdmx").glob("*.csv")):
        data = sdmx.read_sdmx(release / "sdmx" / f"{name}.csv", structure=structure).data
        observations = [observation for part in data for observation in part.obs]
        for observation in observations:
            key = {name: value.value for name, value in observation.dimension.values.items()}
            said = {name: observation.attached_attribute[name].value for name in ("OBS_STATUS", "OWN_STATUS")}
            assert all({**key, **said}[name] in known for name, known in codes.items())
        yield name, len(observations), sum(float(o.value) for o in observations if o.value)


def jsonstat_values(path: Path) -> int:
    """Return how many values a cube has that jsonstat-validator accepts. Raises its JSONStatValidationError."""
    from jsonstat_validator import validate_jsonstat

    cube = json.loads(path.read_bytes())
    assert validate_jsonstat(cube)
    values = cube["value"].values() if isinstance(cube["value"], dict) else cube["value"]
    return sum(value is not None for value in values)


def geoparquet_fails(path: Path) -> list[str]:
    """Return the requirements of GeoParquet 1.1 that a file does not meet."""
    import geoparquet_validator

    report = geoparquet_validator.check(str(path))
    assert report["version"] == "1.1.0"
    return list(geoparquet_validator.failed(report))


def hyparquet_counts(release: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Return rows and non-empty cells by column of every table as hyparquet reads them; it is installed into `folder`."""
    if not shutil.which("npm"):
        pytest.skip("there is no npm: hyparquet, which is JavaScript, cannot be installed")
    place = Path(shutil.copytree(HYPARQUET, folder / "hyparquet"))
    subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True, timeout=120)
    files = sorted(map(str, (release / "parquet").glob("*.parquet")))
    done = subprocess.run(
        ["node", "--max-old-space-size=8000", "count.mjs", *files], cwd=place, capture_output=True, check=True, timeout=300
    )
    return {Path(path).stem: counts for path, counts in json.loads(done.stdout).items()}
