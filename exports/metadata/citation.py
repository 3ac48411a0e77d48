"""CITATION.cff: how to cite the release and its sources, in the Citation File Format 1.2.0."""

from __future__ import annotations

import re
from typing import Any

import yaml

from exports.metadata import wording
from exports.metadata.text import is_web, licence_url, release_url
from exports.model.info import Context
from pipelines.core.iri import escape_iri

PATH = "CITATION.cff"
_LICENCES = re.compile(
    r"CC0-1\.0|CC-BY(-NC)?(-ND|-SA)?-[1-4]\.0|ODbL-1\.0|ODC-By-1\.0|PDDL-1\.0|OGL-UK-3\.0|etalab-2\.0|EUPL-1\.2|MIT|Apache-2\.0"
)
"""Licences that the format certainly has in its own list of SPDX identifiers."""
_EMAIL = re.compile(r"\S+@\S+\.\S{2,}")


def descriptor(context: Context) -> dict[str, bytes]:
    info = context.info
    publisher = info.text(info.publisher.get("name")) or info.text(info.title)
    entity: dict[str, Any] = {"name": publisher}
    if is_web(info.publisher.get("iri")):
        entity["website"] = escape_iri(info.publisher["iri"])
    value: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite the release and the sources of the figures that you use.",
        "type": "dataset",
        "title": info.text(info.title),
        "version": context.version,
        "date-released": info.timestamp[:10],
        "authors": [entity],
    }
    email = str(info.publisher.get("email") or "").removeprefix("mailto:")
    if _EMAIL.fullmatch(email):
        value["contact"] = [{"name": publisher, "email": email}]
    if _LICENCES.fullmatch(info.licence_of_all):
        value["license"] = info.licence_of_all
    elif url := licence_url(info.licence_of_all):
        value["license-url"] = url
    if url := release_url(info.base_uri, context.version):
        value["url"] = escape_iri(url)
    value["keywords"] = list(wording.KEYWORDS["en"])
    if info.sources:
        value["references"] = [_reference(context, source) for source in info.sources]
    return {PATH: _yaml(value)}


def _reference(context: Context, source: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "type": "data",
        "title": context.info.text(source["title"]) or source["id"],
        "authors": [{"name": context.info.text(source["publisher"])}],
    }
    if is_web(source.get("homepage")):
        value["url"] = escape_iri(source["homepage"])
    if _LICENCES.fullmatch(source["licence"]):
        value["license"] = source["licence"]
    if citation := context.info.text(source.get("citation")):
        value["notes"] = citation
    return value


def _yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100).encode()
