"""CSV files: UTF-8, LF, quoted after RFC 4180, a header, nothing for a null and "" for an empty text. Changes no value."""

from __future__ import annotations

from pathlib import Path

import polars as pl


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame`; numbers get the shortest text that reads back as the same double."""
    frame.write_csv(path, line_terminator="\n", quote_style="necessary", null_value="", include_bom=False)
