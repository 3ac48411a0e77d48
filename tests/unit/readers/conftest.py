"""Where readers' tests find real bytes, and how they make a workbook. No expectations stand here."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

REAL = Path(__file__).resolve().parents[3].parent / "shared" / "data"

_NS = "http://schemas.openxmlformats.org"
_STYLES = (
    f'<styleSheet xmlns="{_NS}/spreadsheetml/2006/main"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Return the function that finds a file of the shared data by its name; the test is skipped where the data are not there."""

    def find(name: str) -> Path:
        if not REAL.is_dir():
            pytest.skip(f"the shared data are not beside this project ({REAL})")
        result = sorted(REAL.rglob(name))
        assert result, f"{name} is not in the shared data"
        return result[0]

    return find


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes | str], Path]:
    """Return the function that writes bytes (or text, as UTF-8) to a file."""

    def write(content: bytes | str) -> Path:
        path = tmp_path / "snapshot"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Return the function that writes sheets of cells, the first at A1, to an xlsx file. None is no cell."""

    def write(**sheets: Sequence[Sequence[Any]]) -> Path:
        path = tmp_path / "book.xlsx"
        path.write_bytes(_xlsx(sheets))
        return path

    return write


def _xlsx(sheets: dict[str, Sequence[Sequence[Any]]]) -> bytes:
    buffer = io.BytesIO()
    rels = f"{_NS}/officeDocument/2006/relationships"
    with zipfile.ZipFile(buffer, "w") as archive:
        worksheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
        types = "".join(f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{worksheet}"/>' for i in range(1, len(sheets) + 1))
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_NS}/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            f"{types}</Types>",
        )
        one = f'<Relationship Id="rId1" Type="{rels}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_NS}/package/2006/relationships">{one}</Relationships>')
        listed = "".join(f'<sheet name="{escape(n)}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(sheets, 1))
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_NS}/spreadsheetml/2006/main" xmlns:r="{rels}"><sheets>{listed}</sheets></workbook>'
        )
        targets = (
            "".join(
                f'<Relationship Id="rId{i}" Type="{rels}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(sheets) + 1)
            )
            + f'<Relationship Id="rId99" Type="{rels}/styles" Target="styles.xml"/>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_NS}/package/2006/relationships">{targets}</Relationships>')
        archive.writestr("xl/styles.xml", _STYLES)
        for i, rows in enumerate(sheets.values(), 1):
            body = "".join(
                f'<row r="{r}">'
                + "".join(_cell(f"{chr(64 + c)}{r}", value) for c, value in enumerate(row, 1) if value is not None)
                + "</row>"
                for r, row in enumerate(rows, 1)
                if any(value is not None for value in row)
            )
            archive.writestr(
                f"xl/worksheets/sheet{i}.xml", f'<worksheet xmlns="{_NS}/spreadsheetml/2006/main"><sheetData>{body}</sheetData></worksheet>'
            )
    return buffer.getvalue()


def _cell(place: str, value: Any) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, dt.datetime):
        serial = (value - dt.datetime(1899, 12, 30)).total_seconds() / 86400
        return f'<c r="{place}" s="2"><v>{serial!r}</v></c>'
    if isinstance(value, dt.date):
        return f'<c r="{place}" s="1"><v>{(value - dt.date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    if value.startswith("#"):
        return f'<c r="{place}" t="e"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
