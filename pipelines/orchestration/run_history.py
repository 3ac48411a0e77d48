"""Dagster's event log in its usual SQLite files, written over one connection per file instead of four per event.

A run of a small pack has seven hundred events, and opening databases for each of them took a fifth of the time. The content is the same,
so Dagster's own class can read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 60
OPEN_FILES = 16
"""The daemon and the UI read the events of many runs, each in a file of its own; they keep the last ones open."""


class OneConnectionHistory(SqliteEventLogStorage):
    """SqliteEventLogStorage that keeps its connections open."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._seen: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> OneConnectionHistory:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.pop(shard, None) or self._opened(shard)
            self._engines[shard] = engine  # the last in use is the last in the dictionary
            if len(self._engines) > OPEN_FILES:
                self._engines.pop(next(iter(self._engines))).dispose()
            with engine.connect() as connection, connection.begin():
                yield connection

    def _opened(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard), poolclass=StaticPool, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
        )

        @event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            # with a write-ahead log, a crash of the process loses nothing; a crash of the machine loses the last events
            connection.execute("PRAGMA synchronous=NORMAL")

        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine

    # Dagster asks several times for each asset whether the index has a table, a column or a migration. What is there stays there.

    def has_table(self, table_name: str) -> bool:
        return self._is_there(f"table {table_name}", lambda: SqliteEventLogStorage.has_table(self, table_name))

    def has_secondary_index(self, name: str) -> bool:
        return self._is_there(f"migration {name}", lambda: SqliteEventLogStorage.has_secondary_index(self, name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        look = SqliteEventLogStorage._has_asset_key_col_on_connection
        return self._is_there(f"column {column_name}", lambda: look(self, conn, column_name))

    def _is_there(self, name: str, look: Callable[[], bool]) -> bool:
        if name not in self._seen and look():
            self._seen.add(name)
        return name in self._seen

    def wipe(self) -> None:
        self._close()
        self._seen.clear()
        super().wipe()

    def dispose(self) -> None:
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
