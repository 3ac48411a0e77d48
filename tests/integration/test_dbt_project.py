"""The dbt project works for somebody who uses dbt alone, with the environment that docs/develop/dbt.md describes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import current_release
from tests.support.command import PROJECT, environment

pytestmark = pytest.mark.slow


class Dbt:
    """The `dbt` command in the project's folder, with its output in a folder of its own."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        clean = environment(DBT_TARGET_PATH=str(self.target), DBT_LOG_PATH=str(self.target), **variables)
        clean.pop("PYTHONPATH")  # the project is installed
        return subprocess.run(
            [str(Path(sys.executable).parent / "dbt"), "--no-use-colors", *arguments],
            cwd=PROJECT / "dbt_project", env=clean, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip


@pytest.fixture
def dbt(tmp_path: Path) -> Dbt:
    return Dbt(tmp_path / "dbt")


@pytest.fixture
def workspace(five_home: Path, tmp_path: Path) -> Path:
    return shutil.copytree(five_home, tmp_path / "home", ignore=shutil.ignore_patterns("run.lock", "dagster"))


def test_parse_needs_no_workspace(dbt: Dbt) -> None:
    done = dbt("parse")
    assert done.returncode == 0, done.stdout
    assert (dbt.target / "manifest.json").is_file()


def test_released_descriptions_have_the_text_of_docs_blocks(five_home: Path) -> None:
    package = json.loads((current_release(five_home) / "datapackage.json").read_text(encoding="utf-8"))
    fields = {(r["name"], f["name"]): f["description"] for r in package["resources"] for f in r.get("schema", {}).get("fields", [])}
    assert fields["areas", "ref_area"] == "Identifier of the area"
    assert [place for place, text in fields.items() if "{{" in text or "doc(" in text] == []


def test_build_ls_and_docs_work_after_a_run(dbt: Dbt, workspace: Path) -> None:
    (workspace / "warehouse.duckdb").unlink()
    done = dbt("build", "--exclude-resource-type", "unit_test", ZPO2_HOME=str(workspace))  # test_dbt_unit_tests runs those
    assert done.returncode == 0, done.stdout
    with duckdb.connect(str(workspace / "warehouse.duckdb"), read_only=True) as warehouse:
        assert warehouse.execute("select count(*) > 0 from marts.indicator_values").fetchone() == (True,)
    listed = dbt("--quiet", "ls", "--resource-type", "model", "--select", "marts", ZPO2_HOME=str(workspace))
    assert "zpo2.marts.core.mart_indicator_values" in listed.stdout.splitlines(), listed.stdout
    generated = dbt("docs", "generate", ZPO2_HOME=str(workspace))
    assert generated.returncode == 0, generated.stdout
    catalogue = json.loads((dbt.target / "catalog.json").read_text(encoding="utf-8"))
    assert "value" in " ".join(catalogue["nodes"]["model.zpo2.mart_indicator_values"]["columns"])


def test_build_without_statistics_leaves_the_tables_that_need_them_empty(dbt: Dbt, workspace: Path) -> None:
    def of_warehouse(question: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(workspace / "warehouse.duckdb"), read_only=True) as warehouse:
            return warehouse.execute(question).fetchall()

    columns = "select schema_name, table_name, column_name, data_type from duckdb_columns() where schema_name = 'marts' order by all"
    before = of_warehouse(columns)
    assert of_warehouse("select count(*) > 0 from intermediate.int_index_scores") == [(True,)]
    shutil.rmtree(workspace / "statistics")
    (workspace / "warehouse.duckdb").unlink()
    done = dbt("build", "--exclude-resource-type", "unit_test", ZPO2_HOME=str(workspace))
    assert done.returncode == 0, done.stdout
    assert of_warehouse(columns) == before
    assert of_warehouse("select count(*) from intermediate.int_index_scores") == [(0,)]
    assert of_warehouse("select count(*) from marts.peers") == [(0,)]


def test_a_folder_without_a_lake_is_named_with_what_to_do(dbt: Dbt, tmp_path: Path) -> None:
    done = dbt("build", "--select", "stg_pack", ZPO2_HOME=str(tmp_path))
    assert done.returncode != 0
    assert f"{tmp_path} holds no lake: run `zpo2 run` first, and set ZPO2_HOME" in done.stdout
