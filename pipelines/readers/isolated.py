"""Reads files in processes of their own, with limits: a file that ends its reader, or never ends, is refused, and the run goes on.

No check of a file before it is read finds all that end a reader or exhaust it (`pipelines.core.isolated`).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core import isolated
from pipelines.core.errors import UsageError
from pipelines.core.isolated import MEGABYTE
from pipelines.core.memory import SMALLEST, parse_size
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

if TYPE_CHECKING:
    import polars as pl

    from pipelines.core.settings import Settings
    from pipelines.readers.cells import Columns

_VARIABLES = {"memory": " (ZPO2_READ_MEMORY)", "seconds": " (ZPO2_READ_SECONDS)"}


@dataclass(frozen=True)
class Limits:
    """What reading a file may use. Memory and time rise with the size of the file, up to the largest ones.

    `memory` in bytes, `seconds` of CPU time, `rows` of the result. All files read at a time share `largest_memory`.
    """

    memory: int = 2_000 * MEGABYTE
    memory_per_byte: int = 20
    largest_memory: int = 4_000 * MEGABYTE
    seconds: float = 30.0
    seconds_per_megabyte: float = 3.0
    largest_seconds: float = 600.0
    rows: int = 50_000_000

    @property
    def bytes(self) -> int:
        """Bytes that the rows of a source may need in the steps after reading (`reading.size_of`)."""
        return self.largest_memory * 9 // 20

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits that the settings choose. Raises UsageError."""
        usual = cls()
        largest = usual.largest_memory if not settings.read_memory else parse_size(settings.read_memory)
        if largest is None or largest < SMALLEST:
            raise UsageError(
                f"ZPO2_READ_MEMORY is {settings.read_memory!r}; expected a size of at least {SMALLEST // 2**20}MiB, such as 4GB"
            )
        return replace(
            usual,
            largest_memory=largest,
            largest_seconds=settings.read_seconds or usual.largest_seconds,
            rows=settings.read_rows or usual.rows,
        )

    def memory_for(self, size: int) -> int:
        return min(self.memory + self.memory_per_byte * size, self.largest_memory)

    def seconds_for(self, size: int) -> float:
        return min(self.seconds + self.seconds_per_megabyte * size / MEGABYTE, self.largest_seconds)


def read(path: Path, options: ReadOptions, columns: Columns, limits: Limits, folder: Path | None) -> pl.DataFrame:
    """Return what `readers.read` returns, read by another process; `folder`, or the system's, is for files that exist only while it works.

    `columns.found` has the names of all columns of the file afterwards. Raises UnreadableSnapshot also where a limit was reached or the process
    ended, and OSError where the machine lacks something, such as disk space.
    """
    import polars as pl

    size = path.stat().st_size
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as scratch:
        output = Path(scratch) / "rows.arrow"
        request = {
            "path": str(path), "output": str(output), "options": options.model_dump(mode="json", exclude_unset=True), "rows": limits.rows,
            "bytes": limits.bytes, "columns": None if columns.everything else sorted(columns),
            "numbers": {name: (number.decimal, number.is_integer) for name, number in columns.numbers.items()},
        }  # fmt: skip
        try:
            answer = isolated.call(
                "pipelines.readers.reading:read", request, limits.memory_for(size), limits.seconds_for(size), limits.largest_memory
            )
        except isolated.Stopped as stopped:
            what = "reading it was" if stopped.limit else f"the {options.format} reader"
            raise UnreadableSnapshot(f"{what} {stopped}{_VARIABLES.get(stopped.limit or '', '')}") from None
        except isolated.Failed as failed:
            raise UnreadableSnapshot(f"the {options.format} reader failed: {failed}") from None
        if "unreadable" in answer:
            raise UnreadableSnapshot(answer["unreadable"])
        columns.found.update(dict.fromkeys(answer["found"]))
        return pl.read_ipc(output)
