"""What a release says about its tables, one module a document. Pure functions of the context; they read no file.

Each module has `descriptor(context) -> {path in the release: bytes}`. No document states the size or checksum of
`indicators.duckdb`, whose bytes differ from build to build.
"""

from __future__ import annotations

from collections.abc import Callable

from exports.metadata import (
    changelog,
    citation,
    codelist,
    croissant,
    csvw,
    datapackage,
    dcat,
    dcat_sk,
    dqv,
    nkod,
    prov,
    readme,
    record,
    report,
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
)
"""What is published: a change in one of these, version and time apart, makes a new version."""

RECORDS: tuple[Descriptor, ...] = (changelog.descriptor, report.descriptor, record.descriptor, prov.descriptor)
"""How this release came about. They belong to a version and never make a new one."""


def render(descriptors: tuple[Descriptor, ...], context: Context) -> dict[str, bytes]:
    """Return the documents of all `descriptors` by path; two of one path are a mistake."""
    documents: dict[str, bytes] = {}
    for descriptor in descriptors:
        for path, content in descriptor(context).items():
            if path in documents:
                raise ValueError(f"two descriptors write {path}")
            documents[path] = content
    return documents
