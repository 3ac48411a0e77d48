"""CSV files: UTF-8, LF, quoted after RFC 4180, a header, nothing for a null and "" for an empty text. Changes no value."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import polars as pl


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame`; numbers get the shortest text that reads back as the same double."""
    append(frame, path, header=True)


def append(frame: pl.DataFrame, file: Path | IO[bytes], header: bool) -> None:
    """Write `frame` to where `file` stands, for tables that come in portions."""
    frame.write_csv(file, include_header=header, line_terminator="\n", quote_style="necessary", null_value="", include_bom=False)
