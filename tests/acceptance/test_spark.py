"""The same models on Spark: every published table is equal to that of DuckDB, at nine significant digits."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.core.sql import identifier, literal
from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse import dbt
from tests.conftest import current_release
from tests.support import debian
from tests.support.changing_pack import ACCEPT, ChangingPack
from tests.support.command import EPOCH, MIRROR, PROJECT, zpo2

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

QUICK = (
    "--conf spark.driver.extraJavaOptions='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' "
    "--conf spark.sql.codegen.wholeStage=false --conf spark.sql.constraintPropagation.enabled=false pyspark-shell"
)
"""Spark plans and compiles its queries for hours of work; those of a small pack run for milliseconds. Java collects garbage in one thread."""
DIGITS = 9
DUCK = "warehouse"
"""The name of the database of DuckDB: its views name it."""


@pytest.fixture(scope="module")
def spark() -> dict[str, str]:
    """The environment of a run on Spark. Without Java or pyspark the tests are skipped; in CI they fail."""
    if java() is None:
        debian.install("default-jre-headless")
    missing = [name for name in ("pyspark", "dbt.adapters.spark") if importlib.util.find_spec(name) is None]
    missing += [] if java() else ["Java"]
    if missing and os.environ.get("CI"):
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; they come with the extra `spark`, and Java with default-jre-headless")
    return {"ZPO2_ENGINE": "spark", "ZPO2_MEMORY": "4GB", "PYSPARK_SUBMIT_ARGS": QUICK}


@pytest.fixture
def long_tests() -> None:
    """Tests of many minutes: they run where SPARK_LONG is set, in CI only the others."""
    if not os.environ.get("SPARK_LONG"):
        pytest.skip("SPARK_LONG is not set")


def java() -> str | None:
    return os.environ.get("JAVA_HOME") or shutil.which("java")


@pytest.fixture(scope="module")
def spark_home(spark: dict[str, str], demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of packs/demo, which DuckDB made, after a run on Spark."""
    home = shutil.copytree(demo_home, tmp_path_factory.mktemp("spark") / "home")
    done = zpo2("run", "--pack", "packs/demo", "--home", home, timeout=3600, **spark)
    assert done.returncode == 0, done.stdout + done.stderr
    return home


def test_every_mart_is_equal_on_both_engines(demo_home: Path, spark_home: Path) -> None:
    assert_equal_marts(demo_home, spark_home)


@pytest.mark.usefixtures("long_tests")
def test_a_changed_value_gives_the_marts_of_duckdb(spark: dict[str, str], tmp_path: Path) -> None:
    pack, home, at = ChangingPack(tmp_path / "pack"), tmp_path / "spark", {"SOURCE_DATE_EPOCH": EPOCH}
    run(pack.folder, home, spark | at, *ACCEPT)
    pack.edit("data/figures.csv", "flow,2021,t1,_T,_T,5,A", "flow,2021,t1,_T,_T,6,A")
    pack.edit("indicators/all.yml", '"id": "per_km2"', '"id": "per_surface"')
    run(pack.folder, home, spark | at, *ACCEPT)
    unchanged = pl.read_parquet(dbt.unchanged_path(WorkspaceFolder(home)))
    assert {"all", "indicator", "measure"} <= set(unchanged["kind"])  # it kept rows
    run(pack.folder, tmp_path / "duckdb", at, *ACCEPT)
    assert_equal_marts(tmp_path / "duckdb", home)


@pytest.mark.usefixtures("long_tests")
def test_the_real_pack_gives_the_marts_of_duckdb(spark: dict[str, str], cz_home: Path, tmp_path: Path) -> None:
    home = shutil.copytree(cz_home, tmp_path / "spark", symlinks=True)
    run(PROJECT / "packs" / "cz", home, {**spark, "ZPO2_MEMORY": "10GB", "PYSPARK_SUBMIT_ARGS": "", "ZPO2_MIRROR": str(MIRROR)})
    assert_equal_marts(cz_home, home)


def run(pack: Path, home: Path, variables: dict[str, str], *options: str) -> None:
    done = zpo2("run", "--pack", pack, "--home", home, *options, timeout=4 * 3600, **variables)
    assert done.returncode in (0, 3), done.stdout + done.stderr


def assert_equal_marts(duck_home: Path, spark_home: Path) -> None:
    nodes = dbt.load_manifest(WorkspaceFolder(duck_home))["nodes"].values()
    marts = {n["alias"]: n["config"]["meta"]["key"] for n in nodes if n["schema"] == "marts"}
    assert len(marts) >= 18
    with duckdb.connect() as connection:
        for name, folder in ((DUCK, duck_home), ("spark", spark_home)):
            connection.execute(f"attach {literal(folder / 'warehouse.duckdb')} as {name} (read_only)")
        assert columns(connection, DUCK) == columns(connection, "spark")
        differences = {table: different_rows(connection, table, key) for table, key in marts.items()}
    assert not any(differences.values()), {table: rows[:3] for table, rows in differences.items() if rows}


def test_the_release_is_made_from_what_spark_wrote(demo_home: Path, spark_home: Path) -> None:
    reports = [
        json.loads((current_release(home) / "quality" / "report.json").read_text(encoding="utf-8")) for home in (demo_home, spark_home)
    ]
    rows = [{table: count for table, count in report["rows"].items() if table != "changes"} for report in reports]
    assert rows[0] == rows[1]
    with duckdb.connect(str(spark_home / "warehouse.duckdb"), read_only=True) as warehouse:
        tables = "select table_name from duckdb_tables() where schema_name = 'marts'"
        assert warehouse.execute(tables).fetchall() == []  # only views of Parquet files


def test_a_number_that_spark_computed_can_be_explained(spark_home: Path) -> None:
    done = zpo2("explain", "turnout_parliament", "CZ0312", "2021", "--pack", "packs/demo", "--home", spark_home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Formula" in done.stdout


def columns(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select table_name, column_index, column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = 'marts' order by all",
        [database],
    ).fetchall()


def different_rows(connection: duckdb.DuckDBPyConnection, table: str, key: list[str]) -> list[tuple[Any, ...]]:
    """Return the rows of a table that only one engine has, or in which a text or a number differs."""
    types = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() where database_name = ? and schema_name = 'marts' and table_name = ?",
            [DUCK, table],
        ).fetchall()
    )
    conditions = [
        f"(d.{c} is null) <> (s.{c} is null) or abs(d.{c} - s.{c}) > 1e-{DIGITS} * greatest(abs(d.{c}), abs(s.{c}))"
        if types[name] == "DOUBLE"
        else f"d.{c} is distinct from s.{c}"
        for name in types
        for c in [identifier(name)]
    ]
    same_key = " and ".join(f"d.{identifier(name)} is not distinct from s.{identifier(name)}" for name in key)
    return connection.execute(
        f"select d, s from {DUCK}.marts.{table} as d full outer join spark.marts.{table} as s on {same_key} where {' or '.join(conditions)}"
    ).fetchall()
