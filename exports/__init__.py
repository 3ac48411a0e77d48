"""From the marts of a warehouse to an immutable, verified release. Independent of packs, pipelines, Dagster and dbt.

The names below are the public interface. Arrow, Polars and DuckDB are imported only when a function needs them, so that reading the ledger
or describing a table stays fast.
"""

from exports.model.errors import ReleaseError
from exports.model.info import BoundaryFile, ReleaseInfo
from exports.model.tables import Column, Table
from exports.release.entries import Entry
from exports.release.ledger import current, history
from exports.release.transaction import Release, build
from exports.serve.server import serve
from exports.verify.release import verify

__all__ = [
    "BoundaryFile",
    "Column",
    "Entry",
    "Release",
    "ReleaseError",
    "ReleaseInfo",
    "Table",
    "build",
    "current",
    "history",
    "serve",
    "verify",
]
