"""Small files that end the process that reads them, fill its memory, or keep it busy without end; and files whose rows do so in later steps."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

GROUP = "Files that exhaust their reader"
CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    "</Types>"
)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ODS_HEAD = (
    '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
    '<office:body><office:spreadsheet><table:table table:name="s">'
)
ODS_TAIL = "</table:table></office:spreadsheet></office:body></office:document-content>"
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n"
EVENT = "BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:x\r\nDTSTART:{start}\r\n{more}END:VEVENT\r\n"


@dataclass(frozen=True)
class Exhausting:
    """A file: its format with options, and how it is written to a path. `declared` are keys of its source that differ from the usual ones."""

    id: str
    what: str
    read: dict[str, Any]
    write: Callable[[Path], object]
    declared: dict[str, Any] = field(default_factory=dict)


def xlsx(path: Path, sheet: str, shared: Callable[[Any], None] | None = None) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", CONTENT_TYPES)
        book.writestr("_rels/.rels", f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                      f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
        book.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="s" sheetId="1" r:id="rId1"/>'
                      "</sheets></workbook>")  # fmt: skip
        strings = f'<Relationship Id="rId2" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>' if shared else ""
        book.writestr("xl/_rels/workbook.xml.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                      f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>{strings}</Relationships>')  # fmt: skip
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        if shared:
            with book.open("xl/sharedStrings.xml", "w", force_zip64=True) as stream:
                shared(stream)


def far_cell(attributes: str, prefix: str = "") -> Callable[[Path], object]:
    """A workbook whose only cell is the last one of a sheet."""
    p, declared = (f"{prefix}:", f"xmlns:{prefix}") if prefix else ("", "xmlns")
    sheet = (
        f'<{p}worksheet {declared}="{MAIN}"><{p}sheetData><{p}row><{p}c {attributes}><{p}v>1</{p}v></{p}c></{p}row></{p}sheetData>'
        f"</{p}worksheet>"
    )
    return lambda path: xlsx(path, sheet)


def strings(one: bytes, times: int) -> Callable[[Path], object]:
    """A workbook with a table of shared strings that unpacks to `times` times `one`."""

    def shared(stream: Any) -> None:
        stream.write(f'<sst xmlns="{MAIN}">'.encode())
        block = one * 1000
        for _ in range(times // 1000):
            stream.write(block)
        stream.write(b"</sst>")

    sheet = f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData></worksheet>'
    return lambda path: xlsx(path, sheet, shared)


def ods(body: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
            book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            book.writestr(
                "META-INF/manifest.xml", '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
            )
            book.writestr("content.xml", ODS_HEAD + body + ODS_TAIL)

    return write


def calendar(*events: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(CALENDAR.format("".join(events)).encode())


def event(more: str, uid: str = "a", start: str = "20260101T000000Z") -> str:
    return EVENT.format(uid=uid, start=start, more=more)


def records(siblings: int) -> Callable[[Path], object]:
    return lambda path: path.write_text(f"<list><item>{'<a>1</a>' * siblings}</item></list>", encoding="utf-8")


def parquet(rows: int) -> Callable[[Path], object]:
    """A file in which every row is the same text: a few bytes for each million rows."""

    def write(path: Path) -> None:
        batch = 1_000_000
        column = pa.array(["x"] * batch)
        with pq.ParquetWriter(path, pa.schema([("code", pa.string())]), compression="zstd") as writer:
            for _ in range(rows // batch):
                writer.write_table(pa.table({"code": column}))

    return write


def packed_rows(rows: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(b"code,value,text\n")
            block = b"1,2,3\n" * 100_000
            for _ in range(rows // 100_000):
                file.write(block)

    return write


def many_columns(columns: int, name: Callable[[int], str]) -> Callable[[Path], object]:
    header = ",".join(name(i) for i in range(columns))
    return lambda path: path.write_text(f"{header}\n{',' * (columns - 1)}\n", encoding="utf-8")


def tiny_records(count: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        block = ",".join('{"a":1}' for _ in range(10_000))
        with path.open("w", encoding="utf-8") as file:
            file.write("[" + ",".join(block for _ in range(count // 10_000)) + "]")

    return write


def deep_json(path: Path) -> None:
    path.write_text("[" * 1_000_000, encoding="utf-8")


def wide_json(path: Path) -> None:
    keys = [json.dumps({f"k{i}_{j}": 1 for j in range(200)}) for i in range(500)]
    path.write_text(f"[{','.join(keys)}]", encoding="utf-8")


def packed_twice(path: Path) -> None:
    inner = io.BytesIO()
    with gzip.GzipFile(fileobj=inner, mode="wb", mtime=0) as file:
        for _ in range(1000):
            file.write(b"\0" * 1_000_000)
    path.write_bytes(gzip.compress(inner.getvalue()))


def shapes(*texts: str) -> Callable[[Path], object]:
    """Well-known texts, one for each of the areas that the pack has."""
    rows = "".join(f'{area},"{text}"\n' for area, text in zip(("S", "T"), texts, strict=False))
    return lambda path: path.write_text(f"code,shape\n{rows}", encoding="utf-8")


def crossing(points: int) -> str:
    """A polygon between points of chance, whose border crosses itself some hundred million times."""
    chance = random.Random(1)
    places = [f"{10 + chance.random():.6f} {48 + chance.random():.6f}" for _ in range(points)]
    return f"POLYGON(({', '.join([*places, places[0]])}))"


def comb(teeth: int, *, lying: bool) -> str:
    """A polygon with teeth: one that stands and one that lies have a square in common for each pair of teeth."""
    places = [(0.0, 0.0)]
    for i in range(teeth):
        left, middle, right = i / teeth, (i + 0.5) / teeth, (i + 1) / teeth
        places += [(left, 1.0), (middle, 1.0), (middle, 0.001), (right, 0.001)]
    places += [(1.0, 0.0), (0.0, 0.0)]
    return f"POLYGON(({', '.join(f'{10 + y:.7f} {48 + x:.7f}' if lying else f'{10 + x:.7f} {48 + y:.7f}' for x, y in places)}))"


def long_text(after: str) -> Callable[[Path], object]:
    """A text of a million characters, and what comes after it."""
    return lambda path: path.write_text(f"{'x' * 1_000_000}{after}", encoding="utf-8")


def long_cell(length: int) -> Callable[[Path], object]:
    return lambda path: path.write_text(f"code,value,text\n1,2,{'a' * length}\n", encoding="utf-8")


def shared_texts(path: Path) -> None:
    """A thousand rows of one text in a dictionary."""
    texts = pa.array(["x" * 300_000] * 1000)
    pq.write_table(pa.table({"code": texts}), path, compression="zstd")


def refused_rows(rows: int) -> Callable[[Path], object]:
    """Rows without a code, all different, so that each of them would be written to the quarantine."""

    def write(path: Path) -> None:
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(b"code,value\n")
            for start in range(0, rows, 100_000):
                file.write("".join(f",{number}\n" for number in range(start, start + 100_000)).encode())

    return write


BOUNDARIES = {
    "columns": {"code": {"required": True}, "shape": {}}, "into": "boundaries", "map": {"area": {"ref_area": "code"}, "geometry": "shape"},
}  # fmt: skip
LONGER = {
    "columns": {"code": {"required": True}, "value": {"type": "number"}, "text": {}},
    "map": {"area": {"scheme": "cz", "code": "code"}, "period": f"replace(text, 'a', '{'b' * 900}')", "measures": {"longer": {"value": "value"}}},
}  # fmt: skip
XLSX, CSV, ICS = {"format": "xlsx"}, {"format": "csv"}, {"format": "ics"}
CASES = [
    Exhausting("xlsx_far_cell", "a workbook whose only cell is the last of a sheet, behind another attribute", XLSX,
               far_cell('s="0" r="XFD1048576"')),
    Exhausting("xlsx_far_cell_quoted", "the same with single quotes and blanks", XLSX, far_cell("  r='XFD1048576'")),
    Exhausting("xlsx_far_cell_prefixed", "the same with a prefix of the namespace", XLSX, far_cell('r="XFD1048576"', "x")),
    Exhausting("xlsx_long_strings", "a workbook whose texts unpack to gigabytes", XLSX, strings(b"<si><t>" + b"x" * 10_000 + b"</t></si>", 200_000)),
    Exhausting("xlsx_many_strings", "a workbook with fifty million texts that no cell uses", XLSX, strings(b"<si><t/></si>", 50_000_000)),
    Exhausting("ods_repeated", "repeated columns in repeated rows", {"format": "ods"},
               ods('<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384" '
                   'office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>')),
    Exhausting("ods_blanks", "a text with billions of blanks", {"format": "ods"},
               ods('<table:table-row><table:table-cell office:value-type="string"><text:p>a<text:s text:c="4000000000"/></text:p>'
                   "</table:table-cell></table:table-row>")),
    Exhausting("ics_seconds", "an event that repeats in every second of every day", ICS,
               calendar(event("RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60)))
                              + ";BYSECOND=" + ",".join(map(str, range(60))) + "\r\n"))),
    Exhausting("ics_daily", "three hundred events that repeat daily since 1900", ICS,
               calendar(*(event("RRULE:FREQ=DAILY\r\n", str(i), "19000101T000000Z") for i in range(300)))),
    Exhausting("ics_far_end", "an event that repeats every day, beside one in the year 9999", ICS,
               calendar(event("RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8\r\n"), event("", "b", "99991231T000000Z"))),
    Exhausting("xml_siblings", "a record with 1,200 children of one name", {"format": "xml", "records": "/list/item"}, records(1200)),
    Exhausting("xml_more_siblings", "a record with a hundred thousand children of one name", {"format": "xml", "records": "/list/item"},
               records(100_000)),
    Exhausting("parquet_rows", "a file of some kilobytes with 300 million rows", {"format": "parquet"}, parquet(300_000_000)),
    Exhausting("csv_rows", "a packed file of some hundred kilobytes with 60 million rows", CSV, packed_rows(60_000_000)),
    Exhausting("csv_columns", "a million columns", CSV, many_columns(1_000_000, lambda i: f"c{i}")),
    Exhausting("csv_same_names", "two hundred thousand columns of one name", CSV, many_columns(200_000, lambda _: "a")),
    Exhausting("json_records", "twenty million small records", {"format": "json"}, tiny_records(20_000_000)),
    Exhausting("json_deep", "a million lists inside each other", {"format": "json"}, deep_json),
    Exhausting("json_keys", "a hundred thousand different keys", {"format": "json"}, wide_json),
    Exhausting("shape_nested", "a polygon that is 400,000 collections inside each other", CSV, shapes("GEOMETRYCOLLECTION(" * 400_000), BOUNDARIES),
    Exhausting("shape_crossing", "a polygon of 20,000 points that crosses itself everywhere", CSV, shapes(crossing(20_000)), BOUNDARIES),
    Exhausting("shape_combs", "two polygons that overlap in sixteen million squares", CSV,
               shapes(comb(4000, lying=False), comb(4000, lying=True)), BOUNDARIES),
    Exhausting("text_replaced", "a text of 50 million characters, each of which an expression makes 900 times as long", CSV,
               long_cell(50_000_000), LONGER),
    Exhausting("text_filled_down", "a text of a million characters that is filled down into 100,000 rows", {**CSV, "fill_down": ["code"],
               "names": ["code", "value"], "header_rows": 0}, long_text(",1\n" + ",2\n" * 100_000)),
    Exhausting("text_unpivoted", "a text of a million characters beside 4,000 columns that become rows", {**CSV, "names": ["code",
               *(f"y{i}" for i in range(4000))], "header_rows": 0, "unpivot": {"pattern": "y[0-9]+", "value": "value"}},
               long_text(",1" * 4000 + "\n")),
    Exhausting("columns_pattern", "a name of a column for which a pattern of the pack tries billions of ways", {**CSV,
               "unpivot": {"pattern": "(a+)+", "value": "value"}},
               lambda path: path.write_text(f"code,{'a' * 40}!\n1,2\n", encoding="utf-8")),
    Exhausting("parquet_texts", "a file of some kilobytes with a thousand rows of one long text", {"format": "parquet"}, shared_texts),
    Exhausting("rows_refused", "four million rows that all go to the quarantine", CSV, refused_rows(4_000_000)),
    Exhausting("packed_twice", "a file that was packed twice and unpacks to a gigabyte of zero bytes", CSV, packed_twice),
]  # fmt: skip
