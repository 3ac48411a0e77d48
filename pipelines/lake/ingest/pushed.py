"""Read a snapshot of pushed records in which some record cannot be read: that record goes to quarantine alone, the others are read.

Snapshots of pushed records are written by `pipelines.extract.cloudevents.segments`: a JSON list with one record per line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from pipelines.readers import UnreadableSnapshot
from pipelines.readers.json_records import MAX_COLUMNS

Read = Callable[[Path], pl.DataFrame]


def read_records(read: Read, path: Path) -> pl.DataFrame:
    """Return the rows of the records in `path`. A record that `read` cannot read becomes a row with the reason as its `__fault`.

    All records are read at once; only if that fails, halves of them, down to the single record. `__row` counts rows over all records. A day
    without records, because later events replaced all of them, has no rows. Records whose keys are too many beside those before them are faulty.
    """
    try:
        return read(path)
    except UnreadableSnapshot as error:
        records = [line.removesuffix(b",") for line in path.read_bytes().split(b"\n")[1:-2] if line]
        with tempfile.TemporaryDirectory() as folder:
            frames = _halves(read, Path(folder) / "records", records, str(error)) if records else [_faulty([])]
    return pl.concat(_with_few_columns(frames), how="diagonal").with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("__row"))


def _with_few_columns(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return the frames; one whose columns would make more than MAX_COLUMNS with those before it as rows with a fault."""
    names: set[str] = set()
    result = []
    for frame in frames:
        if len(names.union(frame.columns)) > MAX_COLUMNS:
            result.append(_faulty([f"more than {MAX_COLUMNS} different keys in the records of a day"] * frame.height))
        else:
            names.update(frame.columns)
            result.append(frame)
    return result


def _faulty(reasons: Sequence[str]) -> pl.DataFrame:
    """Return a row for each reason why a record cannot be read."""
    return pl.DataFrame({"__row": [1] * len(reasons), "__fault": reasons}, schema={"__row": pl.Int64, "__fault": pl.String})


def _halves(read: Read, path: Path, records: Sequence[bytes], reason: str) -> list[pl.DataFrame]:
    """Return the rows of records that cannot be read together, for `reason`."""
    if len(records) == 1:
        return [_faulty([reason.removeprefix("record 1: ")])]  # its number among all records is in `__row`
    frames = []
    middle = len(records) // 2
    for half in (records[:middle], records[middle:]):
        path.write_bytes(b"[\n" + b",\n".join(half) + b"\n]\n")
        try:
            frames.append(read(path))
        except UnreadableSnapshot as error:
            frames += _halves(read, path, half, str(error))
    return frames
