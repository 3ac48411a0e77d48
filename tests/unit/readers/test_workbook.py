"""Workbooks: merged headers, typed cells, blank rows, sheets; in today's format and in the legacy one."""

from __future__ import annotations

import datetime as dt
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import readers
from pipelines.readers import ReadOptions, UnreadableSnapshot

LEGACY = Path(__file__).parent / "data" / "legacy.xls"  # a merged header over three columns, text codes, numbers, dates, a second sheet


class TestWorkbookReader:
    def test_reads_legacy_workbooks(self) -> None:
        frame = readers.read(LEGACY, ReadOptions(format="xls", header_rows=2, sheet="Obce"))
        assert frame.columns == [
            *(f"Počet obyvatel / {name}" for name in ("kód", "název", "celkem", "muži", "datum")), "__row", "__fault",
        ]  # fmt: skip
        assert frame.rows() == [
            ("554782", "Praha", "1275406", "620000.5", "2021-01-01", 3, None),
            ("000019", "Lhota", None, "12", "2020-02-29", 4, None),
        ]

    @pytest.mark.parametrize(("sheet", "reason"), [(2, "no sheet 2; it has 0 Obce, 1 Druhý"), ("Kraje", "no sheet named Kraje")])
    def test_names_a_missing_sheet(self, sheet: int | str, reason: str) -> None:
        with pytest.raises(UnreadableSnapshot, match=reason):
            readers.read(LEGACY, ReadOptions(format="xls", sheet=sheet))

    def test_shows_the_errors_of_legacy_workbooks(self, tmp_path: Path) -> None:
        content = LEGACY.read_bytes()
        numbers = re.escape(struct.pack("<HHHHH", 0xBD, 24, 2, 2, 0x11)), re.escape(struct.pack("<HHHHH", 0xBD, 18, 3, 3, 0x11))
        (formula, cell) = (re.search(pattern, content) for pattern in numbers)
        assert formula is not None
        assert cell is not None
        failed = struct.pack("<HHHHH", 0x06, 24, 2, 2, 0x11) + b"\x02\0\x2a\0\0\0\xff\xff" + struct.pack("<HIHBB", 0, 0, 2, 0x1C, 0x2A)
        error = struct.pack("<HHHHHBB", 0x205, 8, 3, 3, 0x11, 0x07, 1) + struct.pack("<HH6x", 0xFFF, 6)
        path = tmp_path / "errors.xls"
        path.write_bytes(
            content[: formula.start()] + failed + content[formula.start() + 28 : cell.start()] + error + content[cell.start() + 22 :]
        )
        frame = readers.read(path, ReadOptions(format="xls", header_rows=2, sheet="Obce"))
        assert [row[2:5] for row in frame.rows()] == [("#N/A", None, None), (None, "#DIV/0!", None)]

    @pytest.mark.parametrize("cut", [100, 2000, 5000])
    def test_refuses_a_truncated_legacy_workbook(self, tmp_path: Path, cut: int) -> None:
        path = tmp_path / "cut.xls"
        path.write_bytes(LEGACY.read_bytes()[:cut])
        with pytest.raises(UnreadableSnapshot):
            readers.read(path, ReadOptions(format="xls"))

    def test_converts_typed_cells_to_text(self, workbook: Callable[..., Path]) -> None:
        path = workbook(
            Data=[
                ["title"],
                [],
                ["code", "share", "day", "yes", "note"],
                [554782.0, 0.1, dt.date(2021, 1, 31), True, " a "],
                [],
                ["000019", -3, dt.datetime(2021, 1, 31, 12, 30), False, "#DIV/0!"],
            ]
        )
        frame = readers.read(path, ReadOptions(format="xlsx", skip_rows=2))
        assert frame["code"].to_list() == ["554782", "000019"]
        assert frame["share"].to_list() == ["0.1", "-3"]
        assert frame["day"].to_list() == ["2021-01-31", "2021-01-31T12:30:00"]
        assert frame["yes"].to_list() == ["true", "false"]
        assert frame["note"].to_list() == ["a", "#DIV/0!"]
        assert frame["__row"].to_list() == [4, 6]

    def test_names_start_at_column_a(self, workbook: Callable[..., Path]) -> None:
        path = workbook(Data=[[None, "x", "y"], [None, "1", "2", "3"]])
        frame = readers.read(path, ReadOptions(format="xlsx", names=["blank", "a", "b"]))
        assert frame.select("blank", "a", "b").rows() == [(None, "1", "2")]

    def test_joins_header_rows_and_merged_cells(self, workbook: Callable[..., Path]) -> None:
        path = workbook(Data=[["2021", None, "2022", None], ["men", "women", "men", "women"], [1, 2, 3, 4]])
        frame = readers.read(path, ReadOptions(format="xlsx", header_rows=2))
        assert frame.columns[:4] == ["2021 / men", "2021 / women", "2022 / men", "2022 / women"]
