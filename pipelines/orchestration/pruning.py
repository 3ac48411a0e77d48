"""Keeps Dagster's history from growing without bound: old events that belong to no run, and old evaluations of checks.

Dagster deletes the events of a run with the run, but keeps every observation, check evaluation and materialization that a sensor reports.
The newest of each asset and check stays, whatever its age, because the UI shows it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetEventTagsTable, SqlEventLogStorageTable

RUNLESS = ""
"""The identifier of the run under which Dagster stores what belongs to no run."""


def prune(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete events without a run and evaluations of checks that are older than `before`, but the newest of each; return how many."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    moment = before.astimezone(UTC).replace(tzinfo=None)  # the tables hold UTC without a zone
    with storage.index_connection() as connection:
        deleted = _delete_evaluations(connection, moment) + _delete_events(connection, moment)
        orphans = sa.select(SqlEventLogStorageTable.c.id)
        if storage.has_table(AssetEventTagsTable.name):
            connection.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.not_in(orphans)))
    with storage.run_connection(RUNLESS) as connection:  # with SQLite a file of its own
        _delete_events(connection, moment)
    return deleted


def _delete_events(connection: Any, before: datetime) -> int:
    events = SqlEventLogStorageTable.c
    newest = sa.select(sa.func.max(events.id)).where(events.asset_key.is_not(None)).group_by(events.asset_key, events.dagster_event_type)
    old = sa.and_(events.run_id == RUNLESS, events.timestamp < before, events.id.not_in(newest))
    return int(connection.execute(SqlEventLogStorageTable.delete().where(old)).rowcount)


def _delete_evaluations(connection: Any, before: datetime) -> int:
    evaluations = AssetCheckExecutionsTable.c
    newest = sa.select(sa.func.max(evaluations.id)).group_by(evaluations.asset_key, evaluations.check_name)
    old = sa.and_(evaluations.evaluation_event_timestamp < before, evaluations.id.not_in(newest))
    return int(connection.execute(AssetCheckExecutionsTable.delete().where(old)).rowcount)
