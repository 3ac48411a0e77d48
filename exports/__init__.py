"""From the marts of a warehouse to an immutable, verified release. Knows nothing of packs, pipelines, Dagster or dbt.

The names below are the whole surface. Their modules load Arrow, Polars and DuckDB only when called: reading the ledger
or describing a table must not cost those imports.
"""

from exports.model.errors import ReleaseError
from exports.model.info import ReleaseInfo
from exports.model.tables import Column, Table
from exports.release.build import Release, build
from exports.release.ledger import Entry, current, history
from exports.serve.server import serve
from exports.verify.release import verify

__all__ = [
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
