"""How dbt is called and what it leaves behind: arguments, parsed project, results, published tables. Imports neither dbt nor Dagster."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from exports.model.tables import Column, Table
from pipelines import bundled
from pipelines.core import atomic
from pipelines.core.workspace import WorkspaceFolder
from quality.gate import CheckResult

PROJECT_DIR = bundled.DBT_PROJECT
PREVIEW_COLUMNS = 12


def build_arguments() -> list[str]:
    """Return the arguments of the one dbt command of a run. Unit tests are about the code, not about data: the test suite runs them."""
    return ["build", "--exclude-resource-type", "unit_test", "--no-use-colors"]


def environment(workspace: WorkspaceFolder) -> dict[str, str]:
    """Return what dbt's process needs: where the home is, this project's modules, and `dbt` on PATH even in a venv that is not activated."""
    scripts = str(Path(sys.executable).parent)
    return {
        "ZPO2_HOME": str(workspace.root),
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "DBT_TARGET_PATH": str(workspace.dbt / "target"),
        "DBT_LOG_PATH": str(workspace.dbt / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        "DBT_LOG_LEVEL_FILE": "none",  # what dbt says is kept in the log of the run
        # the models in Python call functions of this project
        "PYTHONPATH": os.pathsep.join(filter(None, [str(bundled.PACKAGES), os.environ.get("PYTHONPATH", "")])),
        "PATH": scripts + os.pathsep + os.environ.get("PATH", ""),
    }


@lru_cache(maxsize=1)
def project_digest() -> str:
    """Return a hash of the dbt project's files, for which a parsed manifest stays good."""
    digest = hashlib.sha256()
    for path in sorted(p for p in PROJECT_DIR.rglob("*") if p.is_file() and p.suffix in (".sql", ".yml", ".py", ".md")):
        name = path.relative_to(PROJECT_DIR)
        if "target" not in name.parts:
            digest.update(str(name).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def manifest_path(workspace: WorkspaceFolder) -> Path:
    return workspace.dbt / f"manifest-{project_digest()[:16]}.json"


class DbtError(Exception):
    """dbt could not parse the project."""


class Parsing:
    """dbt parsing the project in a process of its own, so that others can import what they need meanwhile.

    The parsed manifest is kept for as long as the project's files stay the same.
    """

    def __init__(self, workspace: WorkspaceFolder) -> None:
        self.home = workspace
        self.process: subprocess.Popen[str] | None = None
        if not manifest_path(workspace).is_file():
            command = [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--quiet", "parse", "--project-dir", str(PROJECT_DIR)]
            environ = {**os.environ, **environment(workspace)}
            self.process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def manifest(self) -> Path:
        """Return the parsed manifest. Raises DbtError with what dbt said."""
        path = manifest_path(self.home)
        if self.process is not None:
            said, _ = self.process.communicate()
            if self.process.returncode != 0:
                raise DbtError(f"dbt cannot parse the project: {said.strip()[-2000:]}")
            with atomic.atomic_write(path) as target:
                target.write_bytes((self.home.dbt / "target" / "manifest.json").read_bytes())
            self.process = None
        return path


def load_manifest(workspace: WorkspaceFolder) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(manifest_path(workspace).read_text(encoding="utf-8"))
    return loaded


def data_tests(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test":
            yield node


def check_name(node: dict[str, Any]) -> str:
    return f"model:{node['name']}"


def expected_checks(manifest: dict[str, Any]) -> set[str]:
    """Return the names of all data tests that a run must have run."""
    return {check_name(node) for node in data_tests(manifest)}


def results(workspace: WorkspaceFolder, manifest: dict[str, Any]) -> list[CheckResult]:
    """Return what the last dbt command found, one result for each data test that it ran."""
    found = json.loads((workspace.dbt / "target" / "run_results.json").read_text(encoding="utf-8"))
    by_id = {node["unique_id"]: node for node in data_tests(manifest)}
    checks = []
    for item in found["results"]:
        node = by_id.get(item["unique_id"])
        if node is None or item["status"] == "skipped":
            continue
        severity = "warn" if node["config"].get("meta", {}).get("gate") == "warn" else "error"
        text = item.get("message") or item["status"]
        checks.append(CheckResult(check_name(node), item["status"] == "pass", severity, text if item["status"] != "pass" else ""))
    return checks


def published_tables(manifest: dict[str, Any], warehouse: Path) -> list[Table]:
    """Return the tables of the marts as dbt's YAML describes them; columns that declarations add are described by their indicator or language."""
    marts = [n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts"]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        titles = {
            name: (title, unit)
            for name, title, unit in connection.execute(
                "select indicator, (titles ->> '$.*')[1], unit from staging.stg_indicators"
            ).fetchall()
        }
        there = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'marts' order by table_name, column_index"
        ).fetchall()
    checked = _checked(manifest)
    return sorted((_table(node, there, titles, checked) for node in marts), key=lambda t: t.name)


def _checked(manifest: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what data tests say of the cells of a column, by model and column: its bounds and the values it may have."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for node in data_tests(manifest):
        test, column = node.get("test_metadata") or {}, node.get("column_name")
        if not column or node["config"].get("meta", {}).get("gate") == "warn" or node["config"].get("where"):
            continue  # what does not close the gate, or is not about all rows, is no promise
        kwargs = test.get("kwargs", {})
        if test.get("name") == "between":
            found.setdefault((node["attached_node"], column), {}).update(minimum=kwargs["low"], maximum=kwargs["high"])
        elif test.get("name") == "accepted_values":
            found.setdefault((node["attached_node"], column), {}).update(values=tuple(_rendered(kwargs["values"])))
    return found


def _rendered(argument: Any) -> Any:
    """Return an argument of a data test; the manifest has `{{ var('name') }}` as it is written, so its value comes from the project file."""
    match = re.fullmatch(r"\{\{\s*var\('(\w+)'\)\s*\}\}", argument) if isinstance(argument, str) else None
    return _variables()[match[1]] if match else argument


@lru_cache(maxsize=1)
def _variables() -> dict[str, Any]:
    project = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(project["vars"][project["name"]])


def _table(
    node: dict[str, Any],
    there: Iterable[tuple[str, str, str]],
    titles: Mapping[str, tuple[str, str]],
    checked: Mapping[tuple[str, str], dict[str, Any]],
) -> Table:
    described = node["columns"]
    columns = []
    for table, name, kind in there:
        if table != node["alias"]:
            continue
        known = described.get(name, {})
        text, unit = (known["description"], None) if known.get("description") else _dynamic(name, titles)
        unit = unit or known.get("config", {}).get("meta", {}).get("unit") or known.get("meta", {}).get("unit")
        promised = checked.get((node["unique_id"], name), {})
        columns.append(Column(name, "BIGINT" if kind in ("INTEGER", "HUGEINT") else kind, text, unit, **promised))
    meta = node["config"].get("meta", {})
    return Table(node["alias"], " ".join(node["description"].split()), tuple(columns), tuple(meta["key"]), meta.get("view_of"))


def _dynamic(name: str, titles: Mapping[str, tuple[str, str]]) -> tuple[str, str | None]:
    """Return description and unit of a column that the declarations add: an indicator's title and unit, or a text in one language."""
    if name in titles:
        return titles[name]
    kind, _, language = name.partition("_")
    return f"{kind.capitalize()} in language {language}", None


@dataclass(frozen=True)
class Content:
    """What a relation of the warehouse holds: its rows, and of a published one the first as a Markdown table."""

    rows: int
    preview: str = ""


def contents(workspace: WorkspaceFolder) -> dict[str, Content]:
    """Return the contents of every relation that dbt has built, by name."""
    if not workspace.warehouse.is_file():
        return {}
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        relations = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        return {name: _content(connection, schema, name) for schema, name in relations}


def _content(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> Content:
    rows = connection.execute(f"select count(*) from {schema}.{name}").fetchall()[0][0]
    if schema != "marts":
        return Content(rows)
    found = connection.execute(f"select * from {schema}.{name} limit 5")
    head = [column[0] for column in found.description or []][:PREVIEW_COLUMNS]
    lines = [head, ["---"] * len(head), *(row[:PREVIEW_COLUMNS] for row in found.fetchall())]
    return Content(rows, "\n".join("| " + " | ".join("" if cell is None else str(cell) for cell in line) + " |" for line in lines))


def errors(workspace: WorkspaceFolder) -> list[str]:
    """Return one line for each node of the last command that ended in an error."""
    path = workspace.dbt / "target" / "run_results.json"
    if not path.is_file():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    return [
        f"{item['unique_id'].split('.', 2)[-1]}: {' '.join((item.get('message') or 'error').split())}"
        for item in found["results"]
        if item["status"] == "error"
    ]
