"""Cases of calendars and workbooks that are broken or hostile, among them those that would never end."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from tests.hostile.case import BRNO, PRAHA, Bad, Case, Outcome, table

GROUP = "Calendars and workbooks"
BOTH = Outcome(((PRAHA, 1.0), (BRNO, 2.0)))
ONE_EVENT = ("one", "one", "2021-05-01T10:00:00")
XLSX, ICS = "{format: xlsx}", "{format: ics}"
EVENT_MAP = "{area: {ref_area: \"'CZ_554782'\"}}"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def calendar(case: str, what: str, lines: list[str], outcome: Outcome, end: str = "\r\n") -> Case:
    body = end.join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", *lines, "END:VCALENDAR", ""]).encode()
    return Case(case, GROUP, what, body, outcome, name=f"{case}.ics", read=ICS, columns="", into="events", map=EVENT_MAP)


def event(uid: str, start: str, *more: str) -> list[str]:
    return ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20210101T000000Z", f"DTSTART:{start}", f"SUMMARY:{uid}", *more, "END:VEVENT"]


def workbook(*cells: str, parts: dict[str, str] | None = None, merged: str = "") -> bytes:
    """Return a workbook of one sheet out of the XML of its rows; `parts` replace or add files of the package."""
    rows = "".join(f'<row r="{i}">{row}</row>' for i, row in enumerate(cells, 1))
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": related("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": related("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{merged}</worksheet>',
        **(parts or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2021, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


def related(kind: str, target: str) -> str:
    link = f'<Relationship Id="rId1" Type="{OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{PACKAGE}/relationships">{link}</Relationships>'


def sheet(rows: str, before: str = "") -> dict[str, str]:
    """Return the sheet as a part of the package, out of the XML of its rows."""
    return {"xl/worksheets/sheet1.xml": f'{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'}


def cell(place: str, value: str | float) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


HEAD = cell("A1", "code") + cell("B1", "value")


def book(case: str, what: str, body: bytes, outcome: Outcome, **more: Any) -> Case:
    return Case(case, GROUP, what, body, outcome, name=f"{case}.xlsx", **{"read": XLSX, **more})


FIRST = cell("A2", "554782") + cell("B2", 1)
GOOD_BOOK = workbook(HEAD, cell("A2", "554782") + cell("B2", 1), cell("A3", "582786") + cell("B3", 2))
ENTITY = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'

CASES = [
    # calendars
    calendar("ics_whole", "an event", event("one", "20210501T100000Z"), Outcome((ONE_EVENT,))),
    calendar("ics_endless_seconds", "an event that recurs every second for ever", event("tick", "20210501T100000Z", "RRULE:FREQ=SECONDLY"),
             Outcome((), (Bad(1, None, "occurrences"),))),
    calendar("ics_endless_beside_good", "an event that recurs every second, beside an honest one",
             event("one", "20210501T100000Z") + event("tick", "20210501T100000Z", "RRULE:FREQ=SECONDLY"), Outcome((("one", "one",
             "2021-05-01T10:00:00"),), (Bad(2, None, "occurrences"),))),
    calendar("ics_rrule_never", "a recurrence that never comes (30 February)", event("one", "20210501T100000Z") + event("never",
             "20210101T100000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
             Outcome((ONE_EVENT, ("never 2021-01-01T10:00:00+00:00", "never", "2021-01-01T10:00:00")))),
    calendar("ics_rrule_zero_interval", "a recurrence with an interval of 0", event("one", "20210501T100000Z") + event("zero",
             "20210501T100000Z", "RRULE:FREQ=DAILY;INTERVAL=0"),
             Outcome((ONE_EVENT,), (Bad(2, None, "INTERVAL"),))),
    calendar("ics_rrule_broken", "a recurrence that is none", event("one", "20210501T100000Z") + event("odd", "20210501T100000Z",
             "RRULE:FREQ=SOMETIMES"),
             Outcome((ONE_EVENT,), (Bad(2, None, "RRULE"),))),
    calendar("ics_year_one", "an event of the year 1 that recurs daily", event("one", "20210501T100000Z") + event("old", "00010101T000000Z",
             "RRULE:FREQ=DAILY"),
             Outcome((ONE_EVENT,), (Bad(2, None, "occurrences"),))),
    calendar("ics_year_9999", "an event on the last day there is", event("last", "99991231T230000Z"), Outcome((("last", "last",
             "9999-12-31T23:00:00"),))),
    calendar("ics_bad_dates", "events without a start, with a word for one, and on 31 April",
             [*event("one", "20210501T100000Z"), "BEGIN:VEVENT", "UID:none", "SUMMARY:none", "END:VEVENT",
             *event("word", "soon"), *event("april", "20210431")],
             Outcome((ONE_EVENT,), (Bad(2, None, "no DTSTART"), Bad(3, None, "DTSTART"), Bad(4, None,
             "DTSTART")))),
    calendar("ics_end_before_start", "an event that ends before it starts", event("back", "20210501T100000Z", "DTEND:20210401T100000Z"),
             Outcome((), (Bad(1, None, "ends before it starts"),))),
    calendar("ics_bad_folding", "a folded line whose continuation lacks its blank", event("one", "20210501T100000Z", "DESCRIPTION:a long",
             "text that goes on") + event("two", "20210502T100000Z"),
             Outcome((("two", "two", "2021-05-02T10:00:00"),), (Bad(2, None, "a line that names no property"),))),
    calendar("ics_lf_only", "line ends of another system", event("one", "20210501T100000Z"), Outcome((ONE_EVENT,
             )), end="\n"),
    calendar("ics_unknown_zone", "a time zone that nobody defines", [line.replace("DTSTART:",
             "DTSTART;TZID=Nowhere/Land:") for line in event("one", "20210501T100000")],
             Outcome((ONE_EVENT,))),
    calendar("ics_dst_gap", "02:30 in the night when clocks go forward", [line.replace("DTSTART:",
             "DTSTART;TZID=Europe/Prague:") for line in event("gap", "20210328T023000")],
             Outcome((("gap", "gap", "2021-03-28T02:30:00"),))),
    calendar("ics_leap_yearly", "29 February, every year: only in leap years", event("leap", "20200229T100000Z",
             "RRULE:FREQ=YEARLY;COUNT=2"),
             Outcome((("leap 2020-02-29T10:00:00+00:00", "leap", "2020-02-29T10:00:00"),), also="the next one lies beyond the window")),
    calendar("ics_no_event", "a calendar without an event", [], Outcome(refused="the calendar has no event")),
    Case("ics_truncated", GROUP, "a calendar cut off", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTA", Outcome(refused="calendar"),
             name="truncated.ics", read=ICS, columns="", into="events", map=EVENT_MAP),
    Case("ics_is_html", GROUP, "a web page where a calendar is expected", b"<div>Log in</div>",
             Outcome(refused="a web page in place of data"), name="page.ics",
             read=ICS, columns="", into="events", map=EVENT_MAP),
    Case("ics_invalid_bytes", GROUP, "undecodable bytes in one event's title",
         b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTART:20210501T100000Z\r\nSUMMARY:one\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:two\r\nDTSTART:20210502T100000Z\r\nSUMMARY:\x8eatec\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
         Outcome((ONE_EVENT,), (Bad(2, None, "bytes not valid in utf-8"),)), name="bytes.ics", read=ICS,
         columns="", into="events", map=EVENT_MAP),
    # workbooks
    book("xlsx_whole", "a workbook", GOOD_BOOK, BOTH),
    book("xlsx_is_csv", "a table of text where a workbook is expected", table("554782,1"), Outcome(refused="not a workbook")),
    book("xlsx_is_a_zip", "a ZIP archive that is no workbook", workbook(parts={"xl/workbook.xml": "<x/>"})[:200],
             Outcome(refused="not a workbook")),
    book("xlsx_truncated", "a workbook cut off", GOOD_BOOK[: len(GOOD_BOOK) * 2 // 3], Outcome(refused="workbook")),
    book("xlsx_broken_sheet", "a workbook whose sheet is cut off",
             workbook(parts={"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1"}), Outcome(refused="sheet")),
    book("xlsx_missing_sheet", "a workbook that names a sheet which is not there",
         workbook(parts={"xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"/>'}), Outcome(refused="workbook")),
    book("xlsx_formulas", "formulas: the value that was computed last stands, one without is empty",
         workbook(HEAD, cell("A2", "554782") + '<c r="B2"><f>WEBSERVICE("http://127.0.0.1:9/")</f><v>1</v></c>', cell("A3",
         "582786") + '<c r="B3"><f>1+1</f></c>'),
         Outcome(((PRAHA, 1.0), (BRNO, None)))),
    book("xlsx_formula_error",
             "a formula that failed (#DIV/0!): the cell is refused with the error",
             workbook(HEAD, cell("A2", "554782") + cell("B2", 1), cell("A3", "582786") + '<c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
         Outcome(((PRAHA, 1.0),), (Bad(3, "value", "the workbook has the error #DIV/0! here"),))),
    book("xlsx_merged_codes", "a code merged over two rows: only the first has it", workbook(HEAD, cell("A2", "554782") + cell("B2", 1),
             cell("B3", 2), merged='<mergeCells><mergeCell ref="A2:A3"/></mergeCells>'),
         Outcome(((PRAHA, 1.0),), (Bad(3, None, "code: required, but empty"),))),
    book("xlsx_codes_as_numbers", "codes that a spreadsheet made numbers of: whole numbers become text without `.0`",
         workbook(HEAD, cell("A2", 554782.0) + cell("B2", 1), cell("A3", 1234.0) + cell("B3", 2)), Outcome(((PRAHA, 1.0),), (Bad(3, None,
         "code 1234 of scheme cz: unknown"),))),
    book("xlsx_far_cell", "one forgotten cell far down and to the right of the table",
         workbook(parts=sheet(f'<row r="1">{HEAD}</row><row r="2">{FIRST}</row><row r="1048576">{cell("XFD1048576", "x")}</row>')),
         Outcome(refused="one of them is far away"), big=True),
    book("xlsx_external_entity", "a sheet with an entity that is a file of the machine",
         workbook(parts=sheet(f'<row r="1">{HEAD}</row><row r="2">{cell("A2", "&e;")}</row>', ENTITY)), Outcome(refused="sheet S cannot be read")),
    book("xlsx_no_such_sheet", "a sheet that is not there", GOOD_BOOK, Outcome(refused="the workbook has no sheet named Data; it has 0 S"),
             read="{format: xlsx, sheet: Data}"),
]  # fmt: skip
