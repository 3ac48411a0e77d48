"""openapi.json of packs/demo before other people's tools: a validator, and a generator whose client reads every file."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import openapi_spec_validator
import pytest
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from tests.support import api_files

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def document(demo_release: Path) -> dict[str, Any]:
    found: dict[str, Any] = api_files.read(demo_release, "openapi.json")
    return found


@pytest.fixture(scope="module")
def client(demo_release: Path, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Models that datamodel-code-generator makes of openapi.json."""
    path = tmp_path_factory.mktemp("client") / "generated_models.py"
    options = {
        "--input": demo_release / api_files.ROOT / "openapi.json", "--input-file-type": "openapi", "--output": path,
        "--output-model-type": "pydantic_v2.BaseModel", "--target-python-version": "3.11", "--formatters": "builtin",
    }  # fmt: skip
    words = [str(word) for pair in options.items() for word in pair]
    done = subprocess.run([sys.executable, "-m", "datamodel_code_generator", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    specification = importlib.util.spec_from_file_location("generated_models", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["generated_models"] = module  # the models refer to each other by name
    specification.loader.exec_module(module)
    return module


def test_validator_accepts_the_document_and_refuses_a_wrong_one(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    openapi_spec_validator.validate(document)
    wrong = json.loads(json.dumps(document))
    wrong["paths"]["/areas/{bundle}.json"]["get"]["parameters"] = []
    with pytest.raises(OpenAPIValidationError):
        openapi_spec_validator.validate(wrong)


def test_generated_client_reads_every_file(demo_release: Path, document: dict[str, Any], client: ModuleType) -> None:
    folder = demo_release / api_files.ROOT
    index = client.Index.model_validate_json((folder / "index.json").read_bytes())
    names = {"indicator": index.indicators, "index": [own.index for own in index.indices], "bundle": index.bundles}
    read = set()
    for path, item in document["paths"].items():
        model = getattr(client, item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2])
        parameters = [own["name"] for own in item["get"]["parameters"]]
        values = index.cohesion if path.startswith("/cohesion") else names[parameters[0]] if parameters else [""]
        for value in values:
            file = folder / path.removeprefix("/").replace(f"{{{parameters[0]}}}" if parameters else "{}", value)
            model.model_validate_json(file.read_bytes())
            read.add(file)
    assert read == set(folder.rglob("*.json")) - {folder / "openapi.json"}


def test_generated_client_gives_a_value(demo_release: Path, client: ModuleType) -> None:
    folder = demo_release / api_files.ROOT
    areas = client.Areas.model_validate_json((folder / "areas.json").read_bytes())
    number = areas.areas.code.index("CZ0642")
    bundle = client.Bundle.model_validate_json((folder / "areas" / f"{areas.bundles[areas.areas.bundle[number]]}.json").read_bytes())
    entry = next(own for own in bundle.indicators if own.indicator == "women_share")
    value = entry.breakdowns[0].value[bundle.codes.index("CZ0642")][entry.periods.index(entry.newest)]
    assert 50 < value < 53
