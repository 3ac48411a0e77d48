"""A fresh pack as a new engineer writes it, and the mistakes that are made with it: each is named before anything is published, or stops it.

The pack reads a wide workbook, a register, a calendar and a paged API. `zpo2 check` loads the pack; what it accepts is fetched and ingested, as a
run does first, and `zpo2 preview` shows the same reasons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter

from pipelines.core.settings import Settings
from pipelines.core.yaml import PackError
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.ingest.preview import preview
from pipelines.lake.quarantine import quarantine_frame
from pipelines.packs import load
from pipelines.packs.drafts import load_draft
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings
from tests.support.command import EPOCH, zpo2
from tests.support.server import HttpRequest, Reply, Server, serving

PLACES = 12
PACK = """\
id: fresh
title: A fresh pack
country: CZ
licence: CC0-1.0
levels:
  - {id: lau, parents: [county]}
  - {id: county}
weight: population
"""
AREAS = """\
id: areas
title: Municipalities
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {code: {required: true}, name: {}, level: {}, county: {}}
into: areas
map: {area: {ref_area: code, level: level, name: name, codes: {office: code}, parents: {county: county}}}
"""
WIDE = """\
id: wide
title: Population and greenery in one sheet
publisher: Office
licence: CC0-1.0
theme: census
fetch: {url: data/wide.xlsx}
read: {format: xlsx, sheet: Data, skip_rows: 2, decimal: ",", ignore: "code = 'Total'"}
columns:
  code: {required: true}
  measured: {type: date, required: true}
  population: {type: integer, min: 0}
  green: {type: number, min: 0}
into: observations
map: {area: {scheme: office, code: "lpad(code, 6, '0')"}, period: year(measured), measures: {population: population, green: green}}
"""
CLUBS = """\
id: clubs
title: Register of clubs
publisher: Court
licence: CC0-1.0
theme: municipal
fetch: {url: data/clubs.csv}
read: {format: csv, delimiter: ";", encoding: windows-1250}
columns: {id: {required: true}, name: {}, seat: {required: true}, since: {type: date, required: true}, kind: {values: [sport, culture]}}
key: [id]
into: register
map: {register: "'clubs'", id: id, area: {scheme: office, code: seat}, valid_from: since}
"""
CALENDAR = """\
id: calendar
title: Calendar of the county
publisher: Town
licence: CC0-1.0
theme: events
fetch: {url: data/calendar.ics}
read: {format: ics}
into: events
map: {area: {scheme: office, code: location}}
"""
SURVEY = """\
id: survey
title: Survey behind a paged API
publisher: Institute
licence: CC0-1.0
theme: census
fetch:
  url: "{server}/api"
  paging: {kind: page, param: page, total: /total}
read: {format: json, records: /items}
columns: {place: {required: true}, year: {type: integer, required: true}, share: {type: number, min: 0, max: 100}}
into: observations
map: {area: {scheme: office, code: place}, period: year, measures: {share: {value: share, additive: false}}}
"""
COUNTED = """\
id: counted
from: events
period: "year(start)"
measures: {events: count(*)}
"""
INDICATORS = """\
- {id: population, title: Population, objective: ZPO2-1, unit: persons, direction: none, levels: [lau, county],
   formula: {numerator: [{measure: population}]}}
- {id: green_per_person, title: Greenery, objective: ZPO2-3, unit: m2, direction: higher_better, levels: [lau, county],
   formula: {numerator: [{measure: green}], denominator: [{measure: population}]}}
- {id: share, title: Share, objective: ZPO2-1, unit: "%", direction: none, levels: [lau], formula: {numerator: [{measure: share}]}}
"""
CODES = [f"{411 + i:06}" for i in range(PLACES)]


def _areas() -> str:
    return "code,name,level,county\n" + "".join(f"{code},Place {code},lau,C\n" for code in CODES) + "C,County,county,\n"


def _clubs() -> str:
    rows = "".join(f"{i};Přátelé {i};{code};2020-01-0{1 + i % 9};sport\n" for i, code in enumerate(CODES))
    return f"id;name;seat;since;kind\n{rows}"


def _calendar() -> str:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{i}\r\nDTSTART:202405{10 + i}T100000Z\r\nSUMMARY:Fair {i}\r\nLOCATION:{code}\r\nEND:VEVENT\r\n"
        for i, code in enumerate(CODES)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{events}END:VCALENDAR\r\n"


@dataclass(frozen=True)
class Sheet:
    """The cells of the wide workbook; green areas are typed by hand, with a decimal comma."""

    name: str = "Data"
    header: tuple[str, ...] = ("code", "measured", "population", "green")
    date: str = "2024-12-31"
    green: str = "1,5"

    def write(self, path: Path) -> None:
        book = xlsxwriter.Workbook(str(path))
        book.add_worksheet("Notes").write(0, 0, "Nothing here")
        sheet = book.add_worksheet(self.name)
        sheet.write(0, 0, "Population and greenery")
        rows = [
            self.header,
            *((int(code), self.date, 100 + i, self.green) for i, code in enumerate(CODES)),
            ("Total", self.date, 9999, "18"),
        ]
        for number, row in enumerate(rows, 2):
            sheet.write_row(number, 0, row)
        book.close()


def write(folder: Path, server: str, sheet: Sheet | None = None, **changes: tuple[str, str]) -> Path:
    """Write the pack; `changes` are (old, new) texts by file, with `__` for `/`. A file without an old text gets the new one."""
    files = {
        "pack.yml": PACK, "sources/areas.yml": AREAS, "sources/wide.yml": WIDE, "sources/clubs.yml": CLUBS, "sources/calendar.yml": CALENDAR,
        "sources/survey.yml": SURVEY.replace("{server}", server), "sources/counted.yml": COUNTED, "indicators/all.yml": INDICATORS,
        "data/areas.csv": _areas(), "data/clubs.csv": _clubs(), "data/calendar.ics": _calendar(),
    }  # fmt: skip
    for name, (old, new) in changes.items():
        stem, _, ending = name.rpartition("_")
        key = f"{stem.replace('__', '/')}.{ending}"
        assert old in files[key], f"{key} has no {old!r}"
        files[key] = files[key].replace(old, new) if old else new
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="windows-1250" if name == "data/clubs.csv" else "utf-8")
    (sheet or Sheet()).write(folder / "data" / "wide.xlsx")
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The paged API; `/broken` promises more records than it has, `/error` answers with an error and status 200."""

    def page(request: HttpRequest) -> Reply:
        number = int(request.query.partition("page=")[2] or 1)
        items = [{"place": code, "year": 2024, "share": 10 + i} for i, code in enumerate(CODES)][(number - 1) * 5 : number * 5]
        return Reply(200, json.dumps({"total": PLACES, "items": items}).encode())

    def broken(request: HttpRequest) -> Reply:
        items = [{"place": CODES[0], "year": 2024, "share": 1}] if request.query.endswith("page=1") else []
        return Reply(200, json.dumps({"total": PLACES, "items": items}).encode())

    with serving() as made:
        made.routes["/api"] = page
        made.routes["/broken"] = broken
        made.routes["/error"] = lambda _: Reply(200, b'{"status": "error", "message": "quota exceeded", "items": []}')
        yield made


@dataclass(frozen=True)
class Found:
    """What a run would say before its gate: faults of the pack, errors and warnings of sources, reasons in quarantine; and what stops it."""

    texts: str
    stopping: tuple[str, ...]


def look(folder: Path, pack: Path) -> Found:
    try:
        loaded = load(pack)
    except PackError as error:
        return Found("\n".join(error.lines), ("check", *error.lines))
    settings = Settings(allow_hosts="127.0.0.1")
    workspace = Workspace.of(loaded, folder / "home", settings)
    workspace.open()
    fetch_sources(workspace)
    step, findings = Ingest(workspace), IngestFindings()
    reports = step.run()
    for report in reports.values():
        findings.add(report, loaded)
    texts = [*findings.errors.values(), *(w for c in findings.counts.values() for w in [*c.warnings, *c.drift])]
    of_areas = [fault.text for fault in step.area_faults()]
    texts += [*step.area_warnings, *of_areas, *quarantine_frame(workspace)["reason"].to_list()]
    return Found("\n".join(texts), (*findings.never, *of_areas))


def test_the_pack_without_a_mistake_is_read_completely(server: Server, tmp_path: Path) -> None:
    found = look(tmp_path, write(tmp_path / "pack", server.url))
    assert found == Found("", ())


MISTAKES: list[tuple[str, str, dict[str, tuple[str, str]], Sheet | None, str]] = [
    # what was done, where it stops, the changes, the sheet, what is named
    ("an unknown key", "check", {"sources__wide_yml": ("into:", "columnz: {}\ninto:")}, None, "sources/wide.yml:13: columnz: unknown key"),
    ("a measure that no source declares", "check", {"indicators__all_yml": ("measure: green", "measure: greens")}, None,
     "greens: no source declares this measure"),
    ("an unknown level of an indicator", "check", {"indicators__all_yml": ("levels: [lau, county]", "levels: [village]")}, None,
     "village: no such level"),
    ("a parent that is no level", "check", {"pack_yml": ("parents: [county]", "parents: [region]")}, None, "region"),
    ("a column that is not declared", "check", {"sources__wide_yml": ("period: year(measured)", "period: rok")}, None, "rok"),
    ("a typing error in an expression", "check", {"sources__wide_yml": ("lpad(code, 6, '0')", "lpad(code, 6, '0'")}, None, "wide.yml"),
    ("an unknown format", "check", {"sources__wide_yml": ("format: xlsx", "format: excel")}, None, "read.format"),
    ("a code scheme that no source gives", "check", {"sources__clubs_yml": ("scheme: office", "scheme: ico")}, None, "ico"),
    ("a variable that parts lacks", "check", {"sources__clubs_yml": ("data/clubs.csv", "'data/clubs_{year}.csv'")}, None,
     "{year}: parts has no such variable"),
    ("one mark for two things", "check", {"sources__wide_yml": ('decimal: ","', 'decimal: ",", thousands: ","')}, None,
     "decimal and thousands are the same character"),
    ("a key that is no column", "check", {"sources__clubs_yml": ("key: [id]", "key: [ico]")}, None, "ico"),
    ("a missing file", "clubs", {"sources__clubs_yml": ("data/clubs.csv", "data/club.csv")}, None,
        "data/club.csv"),
    ("a wrong column name", "wide", {}, Sheet(header=("Code", "measured", "population", "green")),
     "the file has no column code; the nearest is Code; its columns are Code, measured, population, green"),
    ("skip_rows off by one", "wide", {"sources__wide_yml": ("skip_rows: 2", "skip_rows: 3")}, None, "the file has no column code"),
    ("a wrong sheet", "wide", {"sources__wide_yml": ("sheet: Data", "sheet: Daten")}, None,
     "the workbook has no sheet named Daten; it has 0 Notes, 1 Data"),
    ("the first sheet, which holds notes", "wide", {"sources__wide_yml": ("sheet: Data, skip_rows: 2", "skip_rows: 0")}, None,
     "its columns are Nothing here"),
    ("a wrong decimal mark", "wide", {"sources__wide_yml": ('decimal: ",", ', "")}, None, "not a number"),
    ("lpad forgotten", "wide", {"sources__wide_yml": ("lpad(code, 6, '0')", "code")}, None, "code 411 of scheme office: unknown"),
    ("day and month swapped", "wide", {}, Sheet(date="12/31/2024"), "not a date"),
    ("the row of totals not ignored", "", {"sources__wide_yml": (", ignore: \"code = 'Total'\"", "")}, None, "code 0Total of scheme office: unknown"),
    ("a wrong separator", "clubs", {"sources__clubs_yml": ('delimiter: ";", ', "")}, None, "the file has no column id; its columns are id;name;seat"),
    ("a wrong encoding", "clubs", {"sources__clubs_yml": (", encoding: windows-1250", "")}, None, "bytes not valid in utf-8"),
    ("rows that are there twice, with another name", "", {"data__clubs_csv": ("11;Přátelé 11", "10;Přátelé 11")}, None,
     "2 different rows have the key (id)"),
    ("a word that the contract does not have", "clubs", {"sources__clubs_yml": ("kind: {values", "kind: {required: true, values"),
     "data__clubs_csv": (";sport", ";Sport")}, None, "not one of"),
    ("a calendar whose places are no codes", "calendar", {"sources__calendar_yml": ("code: location", "code: title")}, None,
     "code Fair 0 of scheme office: unknown"),
    ("a page of the portal for the file", "calendar", {"data__calendar_ics": ("", "<!DOCTYPE html><title>Sign in</title>")}, None,
     "a web page in place of data (Sign in)"),
    ("a wrong place of the records", "survey", {"sources__survey_yml": ("/items", "/data")}, None, "no list of records at /data"),
    ("pages that end too early", "survey", {"sources__survey_yml": ("/api", "/broken")}, None, "12"),
    ("an error with status 200", "survey", {"sources__survey_yml": ("/api", "/error")}, None, "quota exceeded"),
    ("a percentage given as a per mille", "survey", {"sources__survey_yml": ("max: 100", "max: 1")}, None, "above the maximum of 1"),
    ("a municipality with a mistyped parent", "parent", {"data__areas_csv": ("Place 000411,lau,C", "Place 000411,lau,D")}, None, "D"),
    ("no parent at all", "parent", {"data__areas_csv": ("Place 000411,lau,C", "Place 000411,lau,")}, None, "000411"),
]  # fmt: skip


@pytest.mark.parametrize(("stops", "changes", "sheet", "named"), [m[1:] for m in MISTAKES], ids=[m[0].replace(" ", "_") for m in MISTAKES])
def test_a_mistake_is_named_before_anything_is_published(
    server: Server, tmp_path: Path, stops: str, changes: dict[str, tuple[str, str]], sheet: Sheet | None, named: str
) -> None:
    found = look(tmp_path, write(tmp_path / "pack", server.url, sheet, **changes))
    assert named in found.texts
    if stops:
        assert any(stops in text for text in found.stopping), found
    else:
        assert found.stopping == ()


@pytest.mark.parametrize("source", ["areas", "wide", "clubs", "calendar", "survey"])
def test_the_preview_of_each_source_shows_what_it_gives(server: Server, tmp_path: Path, source: str) -> None:
    pack = write(tmp_path / "pack", server.url)
    draft = load_draft(pack, source)
    result = preview(Workspace.of(draft.pack, tmp_path / "home", Settings(allow_hosts="127.0.0.1")), draft)
    assert (result.stopped, result.refused, result.faults) == ("", [], [])
    assert result.rows_made >= PLACES


def test_the_preview_shows_the_range_of_values_that_a_wrong_unit_has(server: Server, tmp_path: Path) -> None:
    """No contract knows whether a share is a percentage or a fraction: the range and the sum are there to be seen."""
    draft = load_draft(write(tmp_path / "pack", server.url, sources__survey_yml=("value: share", "value: share / 100")), "survey")
    result = preview(Workspace.of(draft.pack, tmp_path / "home", Settings(allow_hosts="127.0.0.1")), draft)
    assert result.measures["share"]["largest"] == pytest.approx(0.21)


@pytest.mark.slow
def test_age_groups_without_a_total_publish_nothing(server: Server, tmp_path: Path) -> None:
    ages = (
        "map: {area: {scheme: office, code: place}, period: year,",
        "map: {area: {scheme: office, code: place}, period: year, age: \"'Y0T14'\",",
    )
    pack = write(tmp_path / "pack", server.url, sources__survey_yml=ages)
    done = zpo2("run", "--pack", pack, "--home", tmp_path / "home", SOURCE_DATE_EPOCH=EPOCH, ZPO2_ALLOW_HOSTS="127.0.0.1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "share" in done.stdout.partition("failed ")[2]
    assert not (tmp_path / "home" / "public" / "latest.json").exists()
