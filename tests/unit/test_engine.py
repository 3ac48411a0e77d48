"""The engine of the warehouse: what a run on Spark needs, and the views of the tables that Spark has written."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse import dbt, spark_tables
from tests.support.command import zpo2

MANIFEST = {
    "nodes": {
        "model.zpo2.stg_pack": {"resource_type": "model", "schema": "staging", "alias": "stg_pack"},
        "model.zpo2.mart_areas": {"resource_type": "model", "schema": "marts", "alias": "areas"},
        "test.zpo2.valid_mart_areas": {"resource_type": "test", "schema": "dbt_test", "alias": "valid_mart_areas"},
    }
}


def write(workspace: WorkspaceFolder, table: str, *parts: dict[str, list[str]]) -> None:
    folder = workspace.spark / "tables" / table
    folder.mkdir(parents=True)
    for number, part in enumerate(parts):
        pl.DataFrame(part).write_parquet(folder / f"part-{number}.snappy.parquet")
    (folder / "_SUCCESS").touch()


def test_without_java_the_engine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    dbt.check_engine(Settings(engine="duckdb"))
    with pytest.raises(UsageError, match="ZPO2_ENGINE is spark, but there is no Java"):
        dbt.check_engine(Settings(engine="spark"))


def test_a_cluster_has_profiles_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = WorkspaceFolder(tmp_path)
    monkeypatch.delenv("ZPO2_PROFILES", raising=False)
    here = dbt.environment(workspace)
    assert (here["DBT_PROFILES_DIR"], here["SPARK_LOCAL_IP"]) == (str(dbt.PROJECT_DIR), "127.0.0.1")
    monkeypatch.setenv("ZPO2_PROFILES", str(tmp_path / "profiles"))
    monkeypatch.setenv("ZPO2_ENGINE", "spark")
    there = dbt.environment(workspace)
    assert (there["DBT_PROFILES_DIR"], there["ZPO2_ENGINE"]) == (str(tmp_path / "profiles"), "spark")
    assert "SPARK_LOCAL_IP" not in there  # the cluster has to reach this machine


@pytest.mark.slow
def test_an_unknown_engine_is_named() -> None:
    done = zpo2("status", ZPO2_ENGINE="oracle")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ZPO2_ENGINE is 'oracle': input should be 'duckdb' or 'spark'\n"


def test_the_warehouse_has_a_view_of_each_table_that_is_written(tmp_path: Path) -> None:
    workspace = WorkspaceFolder(tmp_path / "it's a home")
    write(workspace, "marts.db/areas", {"ref_area": ["CZ"]}, {"ref_area": ["SK"]})
    spark_tables.show(workspace, MANIFEST)
    write(workspace, "staging.db/stg_pack", {"pack": ["demo"]})
    spark_tables.show(workspace, MANIFEST)  # after the second selection
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        assert warehouse.execute("select * from marts.areas").fetchall() == [("CZ",), ("SK",)]
        assert warehouse.execute("select * from staging.stg_pack").fetchall() == [("demo",)]


def test_the_tables_of_the_last_complete_run_are_kept_until_the_next_is_complete(tmp_path: Path) -> None:
    workspace = WorkspaceFolder(tmp_path)
    kept = workspace.spark / "kept/marts.db/areas/part-0.snappy.parquet"
    write(workspace, "marts.db/areas", {"ref_area": ["CZ"]})
    assert not spark_tables.are_valid(workspace)  # dbt wrote them by itself, or was killed
    spark_tables.finish(workspace)
    assert spark_tables.are_valid(workspace)
    for name in ("SK", "PL"):  # the first of these runs is killed
        spark_tables.set_aside(workspace)
        assert spark_tables.are_valid(workspace)
        assert (workspace.spark / "kept/complete").stat().st_size > 0, "Spark, which asks for this file, sees no empty files"
        assert pl.read_parquet(kept)["ref_area"].to_list() == ["CZ"]
        write(workspace, "marts.db/areas", {"ref_area": [name]})
    spark_tables.finish(workspace)
    assert not kept.exists()
    spark_tables.set_aside(workspace)
    assert pl.read_parquet(kept)["ref_area"].to_list() == ["PL"]


def test_the_tables_of_the_last_run_are_removed(tmp_path: Path) -> None:
    workspace = WorkspaceFolder(tmp_path)
    spark_tables.remove(workspace)
    write(workspace, "marts.db/areas", {"ref_area": ["CZ"]})
    spark_tables.remove(workspace)
    assert not workspace.spark.exists()
