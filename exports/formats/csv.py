"""Write CSV files: UTF-8, LF, a header, quotes as in RFC 4180, nothing for a null and "" for an empty text. Changes no value."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import polars as pl


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame`. A number is written as the shortest text that is read back as the same double."""
    append(frame, path, header=True)


def append(frame: pl.DataFrame, file: Path | IO[bytes], header: bool) -> None:
    """Write `frame` at the current position of `file`, for tables that are written in batches."""
    frame.write_csv(file, include_header=header, line_terminator="\n", quote_style="necessary", null_value="", include_bom=False)
