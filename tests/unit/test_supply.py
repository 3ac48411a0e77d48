"""What a release of the software says about its supply: a list of components, and hosted runs that use fixed versions only."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command import PROJECT

SBOM = PROJECT / ".ci" / "sbom.py"
TEMPLATE = PROJECT / "templates" / "pack-repository"
WORKFLOWS = [path for folder in (PROJECT, TEMPLATE) for path in sorted((folder / ".github" / "workflows").glob("*.yml"))]


def workflow(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # `on` stays text
    return loaded


def sbom(name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SBOM, name], capture_output=True, text=True, timeout=60, check=False)


def test_components_are_those_of_the_environment() -> None:
    done = sbom("requests")  # whatever is installed can be the subject
    document = json.loads(done.stdout)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["purl"] == f"pkg:pypi/requests@{version('requests')}"
    versions = {component["name"]: component["version"] for component in document["components"]}
    assert versions["duckdb"] == version("duckdb")
    assert versions["pydantic-core"] == version("pydantic-core")
    assert "requests" not in versions
    references = [component["bom-ref"] for component in document["components"]]
    assert len(set(references)) == len(references)
    assert sbom("requests").stdout == done.stdout


def test_a_package_that_is_not_installed_is_an_error() -> None:
    done = sbom("no-such-package")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "must be installed" in done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_hosted_runs_use_actions_by_their_full_version(path: Path) -> None:
    uses = [step["uses"] for job in workflow(path)["jobs"].values() for step in job["steps"] if "uses" in step]
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action


def test_advisories_are_looked_up_by_the_hosted_run_and_by_hand() -> None:
    lookup = workflow(PROJECT / ".github" / "workflows" / "advisories.yml")
    assert set(lookup["on"]) == {"schedule", "workflow_dispatch"}  # no push and no pull request fails for an advisory
    commands = [step["run"] for job in lookup["jobs"].values() for step in job["steps"] if "run" in step]
    manual = (PROJECT / "docs" / "develop" / "releasing.md").read_text(encoding="utf-8")
    for command in commands:
        assert command in manual
    assert {"pip-audit --require-hashes --disable-pip -r requirements.lock", "npm audit --package-lock-only"} <= set(commands)
    assert all(re.search(r"==[0-9.]+$", command) for command in commands if " install " in command)
    assert "audit" not in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
