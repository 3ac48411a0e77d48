"""openapi.json: the files for programs as an OpenAPI 3.1 document, with a schema for every kind of file."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from exports.api.schemas import schemas
from exports.metadata.text import licence_url
from exports.model.info import ReleaseInfo

VERSION = "3.1.0"
PARAMETERS = {
    "indicator": "Identifier of an indicator, from index.json",
    "index": "Identifier of an index, from index.json",
    "bundle": "Name of a bundle of areas, from areas.json",
}
FILES = {
    "/index.json": ("getIndex", "Index", "The release and its files"),
    "/indicators.json": ("getIndicators", "Indicators", "All indicators, sources and notes"),
    "/areas.json": ("getAreas", "Areas", "All areas"),
    "/indicators/{indicator}.json": ("getIndicator", "IndicatorNewest", "The newest values of an indicator in all areas"),
    "/indicators/{indicator}/series.json": ("getSeries", "Series", "All values of an indicator"),
    "/areas/{bundle}.json": ("getBundle", "Bundle", "All values of a few areas, with positions and comparisons"),
    "/cohesion/{indicator}.json": ("getCohesion", "Cohesion", "Differences inside territories"),
    "/indices/{index}.json": ("getIndexScores", "IndexFile", "The scores of an index"),
    "/objective_measures.json": ("getObjectiveMeasures", "ObjectiveMeasures", "The measures of objectives"),
}
"""By path: operation, schema and summary."""
OPTIONAL = {path for path in FILES if "{" in path}
"""The kinds of files that a release may lack."""


def pattern(path: str) -> re.Pattern[str]:
    """Return a pattern of the names that a path with parameters stands for."""
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", path))))


def document(info: ReleaseInfo, version: str, names: Collection[str]) -> dict[str, Any]:
    """Return the document. It has neither the version nor the time of the release; addresses are relative to the document.

    `names` are the paths of the files, with `/` at their beginning: a kind of file that a release does not have is left out.
    """
    described = {path: file for path, file in FILES.items() if path not in OPTIONAL or any(map(pattern(path).fullmatch, names))}
    about: dict[str, Any] = {"title": info.text(info.title) or info.pack, "version": version, "summary": "Read-only files of a release"}
    if url := licence_url(info.licence_of_all):
        about["license"] = {"name": info.licence_of_all, "url": url}
    return {
        "openapi": VERSION,
        "info": about,
        "servers": [{"url": "./", "description": "The folder of this document"}],
        "paths": {path: {"get": _operation(path, *about_file)} for path, about_file in described.items()},
        "components": {"schemas": schemas()},
    }


def _operation(path: str, operation: str, schema: str, summary: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in PARAMETERS.items()
        if f"{{{name}}}" in path
    ]
    success = {"description": summary, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}
    responses = {"200": success, **({"404": {"description": "No such file"}} if parameters else {})}
    return {"operationId": operation, "summary": summary, "parameters": parameters, "responses": responses}
