"""The documents of a release that describe its tables; one module per document. They are pure functions of the context and read no file.

Each module has `descriptor(context) -> {path in the release: bytes}`. No document states the size or checksum of `indicators.duckdb`,
whose bytes differ from build to build.
"""

from __future__ import annotations

from collections.abc import Callable

from exports.metadata import (
    api_entry,
    changelog,
    citation,
    codelist,
    croissant,
    csvw,
    datapackage,
    dcat,
    dcat_sk,
    dqv,
    llms,
    nkod,
    prov,
    readme,
    record,
    schema_org,
)
from exports.model.info import Context

Descriptor = Callable[[Context], dict[str, bytes]]

DESCRIPTORS: tuple[Descriptor, ...] = (
    datapackage.descriptor,
    csvw.descriptor,
    codelist.descriptor,
    croissant.descriptor,
    readme.descriptor,
    dcat.descriptor,
    nkod.descriptor,
    dcat_sk.descriptor,
    dqv.descriptor,
    schema_org.descriptor,
    citation.descriptor,
    api_entry.descriptor,
    llms.descriptor,
)
"""A change in one of these documents, other than version and time, makes a new version."""

RECORDS: tuple[Descriptor, ...] = (changelog.descriptor, record.descriptor, prov.descriptor)
"""Documents about how a release was made. They belong to a version and never make a new one. `report`, which states their size, follows."""


def render(descriptors: tuple[Descriptor, ...], context: Context) -> dict[str, bytes]:
    """Return the documents of all `descriptors` by path. Raises ValueError if two of them have the same path."""
    documents: dict[str, bytes] = {}
    for descriptor in descriptors:
        for path, content in descriptor(context).items():
            if path in documents:
                raise ValueError(f"two descriptors write {path}")
            documents[path] = content
    return documents
