"""How dbt is called, and the results it leaves: arguments, environment, parsed project, tests. Imports neither dbt nor Dagster."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.core import atomic, memory
from pipelines.core.errors import Zpo2Error
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from quality.gate import CheckResult

PROJECT_DIR = bundled.DBT_PROJECT


def build_arguments() -> list[str]:
    """Return the arguments of the one dbt command of a run. It runs no unit tests: they test the code, not the data."""
    return ["build", "--exclude-resource-type", "unit_test", "--no-use-colors"]


def environment(workspace: WorkspaceFolder) -> dict[str, str]:
    """Return the environment of dbt's process: the workspace, this project's modules, and `dbt` on PATH even without an activated venv."""
    scripts = str(Path(sys.executable).parent)
    return {
        "ZPO2_HOME": str(workspace.root),
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "DBT_TARGET_PATH": str(workspace.dbt / "target"),
        "DBT_LOG_PATH": str(workspace.dbt / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        "DBT_LOG_LEVEL_FILE": "none",  # the log of the run holds what dbt prints
        "ZPO2_ENGINE_MEMORY": f"{memory.budget(Settings().memory).engine // 2**20}MiB",
        "ZPO2_SPILL": Settings().spill or f"{shutil.disk_usage(workspace.root).free * 9 // 10 // 2**20}MiB",
        # the models in Python call functions of this project
        "PYTHONPATH": os.pathsep.join(filter(None, [str(bundled.PACKAGES), os.environ.get("PYTHONPATH", "")])),
        "PATH": scripts + os.pathsep + os.environ.get("PATH", ""),
    }


@lru_cache(maxsize=1)
def project_digest() -> str:
    """Return a hash of the files of the dbt project. A parsed manifest is valid for one hash."""
    digest = hashlib.sha256()
    for path in sorted(p for p in PROJECT_DIR.rglob("*") if p.is_file() and p.suffix in (".sql", ".yml", ".py", ".md")):
        name = path.relative_to(PROJECT_DIR)
        if "target" not in name.parts:
            digest.update(str(name).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def manifest_path(workspace: WorkspaceFolder) -> Path:
    return workspace.dbt / f"manifest-{project_digest()[:16]}.json"


class DbtError(Zpo2Error):
    """dbt could not parse the project."""


class Parsing:
    """dbt parses the project in a process of its own, while this process imports other libraries.

    The parsed manifest is kept as long as the files of the project stay the same.
    """

    def __init__(self, workspace: WorkspaceFolder) -> None:
        self.workspace = workspace
        self.process: subprocess.Popen[str] | None = None
        if not manifest_path(workspace).is_file():
            command = [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--quiet", "parse", "--project-dir", str(PROJECT_DIR)]
            environ = {**os.environ, **environment(workspace)}
            self.process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def manifest(self) -> Path:
        """Return the parsed manifest. Raises DbtError with the message of dbt."""
        path = manifest_path(self.workspace)
        if self.process is not None:
            output, _ = self.process.communicate()
            if self.process.returncode != 0:
                raise DbtError(f"dbt cannot parse the project: {output.strip()[-2000:]}")
            with atomic.atomic_write(path) as target:
                target.write_bytes((self.workspace.dbt / "target" / "manifest.json").read_bytes())
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
    """Return the names of all data tests that have to run."""
    return {check_name(node) for node in data_tests(manifest)}


def results(workspace: WorkspaceFolder, manifest: dict[str, Any]) -> list[CheckResult]:
    """Return one result for each data test that the last dbt command ran."""
    run_results = json.loads((workspace.dbt / "target" / "run_results.json").read_text(encoding="utf-8"))
    by_id = {node["unique_id"]: node for node in data_tests(manifest)}
    checks = []
    for item in run_results["results"]:
        node = by_id.get(item["unique_id"])
        if node is None or item["status"] == "skipped":
            continue
        severity = "warn" if node["config"].get("meta", {}).get("gate") == "warn" else "error"
        text = item.get("message") or item["status"]
        checks.append(CheckResult(check_name(node), item["status"] == "pass", severity, text if item["status"] != "pass" else ""))
    return checks


def errors(workspace: WorkspaceFolder) -> list[str]:
    """Return one line for each node of the last command that ended in an error."""
    path = workspace.dbt / "target" / "run_results.json"
    if not path.is_file():
        return []
    run_results = json.loads(path.read_text(encoding="utf-8"))
    return [
        f"{item['unique_id'].split('.', 2)[-1]}: {' '.join((item.get('message') or 'error').split())}"
        for item in run_results["results"]
        if item["status"] == "error"
    ]
