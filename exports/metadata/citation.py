"""CITATION.cff: how to cite the release and its sources, in the Citation File Format 1.2.0."""

from __future__ import annotations

import re
from typing import Any

import yaml

from exports.metadata import wording
from exports.metadata.rdf import address
from exports.metadata.text import is_web, licence_url, release_url
from exports.model.info import Context

PATH = "CITATION.cff"
_LICENCES = re.compile(
    r"CC0-1\.0|CC-BY(-NC)?(-ND|-SA)?-[1-4]\.0|ODbL-1\.0|ODC-By-1\.0|PDDL-1\.0|OGL-UK-3\.0|etalab-2\.0|EUPL-1\.2|MIT|Apache-2\.0"
)
"""What the format's own list of SPDX identifiers surely has."""
_MAIL = re.compile(r"\S+@\S+\.\S{2,}")


def descriptor(context: Context) -> dict[str, bytes]:
    info = context.info
    publisher = info.text(info.publisher.get("name")) or info.text(info.title)
    entity: dict[str, Any] = {"name": publisher}
    if is_web(info.publisher.get("iri")):
        entity["website"] = address(info.publisher["iri"])
    value: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite the release and the sources that your figures come from.",
        "type": "dataset",
        "title": info.text(info.title),
        "version": context.version,
        "date-released": info.timestamp[:10],
        "authors": [entity],
    }
    mail = str(info.publisher.get("email") or "").removeprefix("mailto:")
    if _MAIL.fullmatch(mail):
        value["contact"] = [{"name": publisher, "email": mail}]
    if _LICENCES.fullmatch(info.licence):
        value["license"] = info.licence
    elif url := licence_url(info.licence):
        value["license-url"] = url
    if url := release_url(info.base_uri, context.version):
        value["url"] = address(url)
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
        value["url"] = address(source["homepage"])
    if _LICENCES.fullmatch(source["licence"]):
        value["license"] = source["licence"]
    if words := context.info.text(source.get("citation")):
        value["notes"] = words
    return value


def _yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100).encode()
