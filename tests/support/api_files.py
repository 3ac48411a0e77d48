"""Read the files for programs of a release as a client does, without any code of the project that writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

ROOT = "api/v1"


def read(release: Path, path: str) -> Any:
    return json.loads((release / ROOT / path).read_bytes())


def strict(schema: Any) -> Any:
    """Return a schema that also refuses members that it does not describe."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    members = {name: strict(value) for name, value in schema.items()}
    return {**members, "additionalProperties": False} if "properties" in members and isinstance(members["properties"], dict) else members


def undescribed(release: Path) -> Iterator[str]:
    """Yield a line for each file that no path of openapi.json describes, or that its schema refuses."""
    document = read(release, "openapi.json")
    components = {"components": strict(document["components"])}
    validators = {}
    for template, item in document["paths"].items():
        schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        pattern = re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", template))))
        validators[pattern] = jsonschema.Draft202012Validator({**schema, **components})
    for path in sorted((release / ROOT).rglob("*")):
        name = f"/{path.relative_to(release / ROOT).as_posix()}"
        if path.is_dir() or name == "/openapi.json":
            continue
        matching = [validator for pattern, validator in validators.items() if pattern.fullmatch(name)]
        if len(matching) != 1:
            yield f"{name}: {len(matching)} paths describe it"
        for validator in matching:
            for error in validator.iter_errors(json.loads(path.read_bytes())):
                yield f"{name}: {error.json_path}: {error.message[:200]}"
