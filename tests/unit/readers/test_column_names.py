"""Names of columns that a library takes for patterns are names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import readers
from pipelines.readers import ReadOptions

FILES = {"csv": "*,^a$,a\n1,2,3\n", "json": '[{"*": 1, "^a$": 2, "a": 3}]'}


@pytest.mark.parametrize("format_", FILES)
def test_columns_named_like_patterns_keep_their_cells(tmp_path: Path, format_: str) -> None:
    path = tmp_path / "file"
    path.write_text(FILES[format_], encoding="utf-8")
    frame = readers.read(path, ReadOptions.model_validate({"format": format_}))
    assert frame[:, :3].rows() == [("1", "2", "3")]


def test_fill_down_of_such_a_column_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("^a$,a\n1,2\n,\n", encoding="utf-8")
    frame = readers.read(path, ReadOptions.model_validate({"format": "csv", "fill_down": ["^a$"]}))
    assert frame.get_column("^a$").to_list() == ["1", "1"]
    assert frame.get_column("a").to_list() == ["2", None]
