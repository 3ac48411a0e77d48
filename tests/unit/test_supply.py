"""What a release of the software says about its supply: a list of components, and hosted runs that use fixed versions only."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version

import yaml

from tests.support.command import PROJECT

SBOM = PROJECT / ".ci" / "sbom.py"


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


def test_hosted_runs_use_actions_by_their_full_version() -> None:
    text = (PROJECT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    uses = [step["uses"] for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"] if "uses" in step]
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
