"""Personal data are dropped or counted before the lake: nothing of them stands anywhere in a home but in the archived bytes themselves."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.hostile import pack
from tests.support.command import EPOCH, zpo2

pytestmark = pytest.mark.slow

# every string is in one input only, in a good or in a bad row, and nowhere else
CANDIDATES = ("Adalbert Kandidatovič", "Bohunka Kandidatová", "Cyril Spatnyradek", "Drahomíra Spatnabunka")
ICS_PEOPLE = (
    "Emil Poradatel",
    "emil.poradatel@soukrome.invalid",
    "Filoména Hostova",
    "filomena@hosti.invalid",
    "Gustav Vadny",
    "gustav@vadny.invalid",
)
PAGE_PEOPLE = ("Hedvika Organizatorka", "hedvika@akce.invalid", "+420777000111", "Igor Ucinkujici", "Jarmila Bezdata")
OFN_PEOPLE = ("Kazimír Kontaktni", "kazimir@kontakt.invalid", "+420777000222", "Lubomíra Spatnetyp")
NOTICES = ("Exekuce Metoděje Dluznika", "Dražba Norberta Spatneho", "Doručení Oldřicha Neznamého")
PEOPLE = (*CANDIDATES, *ICS_PEOPLE, *PAGE_PEOPLE, *OFN_PEOPLE, *NOTICES)

CSV = f"""\
code,name,email,votes
554782,{CANDIDATES[0]},a@k.invalid,10
554782,{CANDIDATES[1]},b@k.invalid,20
999999,{CANDIDATES[2]},c@k.invalid,30
582786,{CANDIDATES[3]},d@k.invalid,many
582786,short row {CANDIDATES[2]}
"""
ICS = f"""\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:concert
DTSTART:20210501T180000Z
SUMMARY:Concert in the square
ORGANIZER;CN={ICS_PEOPLE[0]}:mailto:{ICS_PEOPLE[1]}
ATTENDEE;CN={ICS_PEOPLE[2]}:mailto:{ICS_PEOPLE[3]}
CONTACT:{ICS_PEOPLE[0]}
COMMENT:ask {ICS_PEOPLE[0]}
END:VEVENT
BEGIN:VEVENT
UID:broken
DTSTART:soon
ORGANIZER;CN={ICS_PEOPLE[4]}:mailto:{ICS_PEOPLE[5]}
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")
PAGE = [
    {
        "@context": "https://schema.org", "@type": "MusicEvent", "@id": "https://x.invalid/1", "name": "Concert",
        "startDate": "2021-05-01T18:00:00",
        "organizer": {"@type": "Person", "name": PAGE_PEOPLE[0], "email": PAGE_PEOPLE[1], "telephone": PAGE_PEOPLE[2]},
        "performer": {"@type": "Person", "name": PAGE_PEOPLE[3]},
    },
    {"@type": "Event", "name": "No date", "organizer": {"@type": "Person", "name": PAGE_PEOPLE[4]},
    "contactPoint": {"email": PAGE_PEOPLE[1]}},
]  # fmt: skip
OFN = [
    {
        "typ": ["Událost"], "iri": "https://x.invalid/2", "název": {"cs": "Koncert"},
        "doba_trvání": [{"typ": "Časový interval", "začátek": {"typ": "Časový okamžik", "datum": "2021-05-02"}}],
        "kontakt": [{"typ": "Kontakt", "jméno": {"cs": OFN_PEOPLE[0]}, "email": f"mailto:{OFN_PEOPLE[1]}",
        "telefon": f"tel:{OFN_PEOPLE[2]}"}],
    },
    {"typ": ["Osoba"], "název": {"cs": OFN_PEOPLE[3]}, "kontakt": [{"jméno": {"cs": OFN_PEOPLE[3]}}]},
]  # fmt: skip
BOARD = {
    "provozovatel": {"ičo": "00000001"},
    "informace": [
        {"iri": "https://x.invalid/3", "název": {"cs": NOTICES[0]}, "popis": {"cs": NOTICES[0]}, "vyvěšení": {"datum": "2021-05-03"}},
        {"iri": "https://x.invalid/4", "název": {"cs": NOTICES[1]}, "dokument": [{"název": {"cs": NOTICES[1]}}]},
        {"iri": "https://x.invalid/5", "název": NOTICES[2], "vyvěšení": {"datum": "2021-13-45"}},
    ],
}
HEAD = "publisher: Nobody\nlicence: CC0-1.0\noptional: true\n"
PLACE = "area: {ref_area: \"'CZ_554782'\"}"
SOURCES = {
    "candidates": (
        "theme: census\nfetch: {url: data/candidates.csv}\nread: {format: csv}\nkey: [code, name]\n"
        "columns: {code: {required: true}, name: {personal: true}, email: {personal: true}, votes: {type: integer, personal: true}}\n"
        "into: observations\n"
        "map: {area: {scheme: cz, code: code}, period: \"'2021'\", "
        'measures: {candidates: {value: "case when name is null then 0 else 1 end", aggregate: sum}}}\n'
    ),
    "calendar": f"theme: events\nfetch: {{url: data/calendar.ics}}\nread: {{format: ics}}\ninto: events\nmap: {{{PLACE}}}\n",
    "page": f"theme: events\nfetch: {{url: data/page.json}}\nread: {{format: schema-org-events}}\ninto: events\nmap: {{{PLACE}}}\n",
    "ofn": f"theme: events\nfetch: {{url: data/ofn.json}}\nread: {{format: ofn-events}}\ninto: events\nmap: {{{PLACE}}}\n",
    "board": (
        f"theme: events\nfetch: {{url: data/board.json}}\nread: {{format: ofn-notices}}\ncolumns: {{title: {{personal: true}}}}\n"
        f"into: events\nmap: {{{PLACE}}}\n"
    ),
}
COUNTED = "id: events_counted\ntitle: Events\nfrom: events\nperiod: year(start)\nmeasures: {events: count(*)}\n"


@dataclass(frozen=True)
class Home:
    """A home after its run, and all that the commands printed."""

    root: Path
    pack: Path
    printed: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("personal")
    folder = pack.write(root / "pack", [])
    for name, text in SOURCES.items():
        (folder / "sources" / f"{name}.yml").write_text(f"id: {name}\ntitle: {name}\n{HEAD}{text}", encoding="utf-8")
    (folder / "sources" / "events_counted.yml").write_text(COUNTED, encoding="utf-8")
    for name, text in {"candidates.csv": CSV, "calendar.ics": ICS, "page.json": json.dumps(PAGE, ensure_ascii=False),
                       "ofn.json": json.dumps(OFN, ensure_ascii=False), "board.json": json.dumps(BOARD,
                       ensure_ascii=False)}.items():  # fmt: skip
        (folder / "data" / name).write_text(text, encoding="utf-8")
    place = ("--pack", folder, "--home", root / "home")
    done = zpo2("run", *place, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [done.stdout, done.stderr]
    for command in (("quarantine",), ("quarantine", "--json"), ("status", "--json"), ("explain", "population", "CZ_554782", "2021")):
        printed.append(zpo2(*command, *place).stdout)
    return Home(root / "home", folder, "\n".join(printed))


class TestPersonalData:
    def test_is_read_and_counted(self, home: Home) -> None:
        counts = json.loads((home.root / "last_run.json").read_text(encoding="utf-8"))["sources"]
        result = {name: (counts[name]["rows_accepted"], counts[name]["rows_quarantined"]) for name in SOURCES}
        assert result == {"candidates": (3, 2), "calendar": (1, 1), "page": (1, 1), "ofn": (1, 1), "board": (1, 2)}
        manifest = json.loads((home.root / "manifests" / "current.json").read_text(encoding="utf-8"))
        lake = pl.concat([pl.read_parquet(home.root / "lake" / f["path"]) for f in manifest["files"]["observations"] if f["rows"]])
        sums = lake.filter(pl.col("measure") == "candidates").select("ref_area", "obs_value").rows()
        assert ("CZ_554782", 2.0) in sums

    @pytest.mark.parametrize("person", PEOPLE)
    def test_is_in_no_output(self, home: Home, person: str) -> None:
        assert person not in home.printed

    def test_is_in_no_file(self, home: Home) -> None:
        """Sidecars, lake, receipts, logs, Dagster's storage, the warehouse and the release; Parquet and databases are unpacked for it."""
        result = []
        looked = set()
        for path in sorted(p for p in home.root.rglob("*") if p.is_file()):
            relative = path.relative_to(home.root)
            if relative.parts[:2] == ("archive", "blobs"):
                continue
            looked.add(relative.parts[0])
            text = _everything(path)
            result += [f"{relative}: {person}" for person in PEOPLE if person.encode() in text or json.dumps(person)[1:-1].encode() in text]
        assert result == []
        assert looked >= {"archive", "lake", "manifests", "public"}


def _everything(path: Path) -> bytes:
    """Return the bytes of a file, and where it is packed, those of what it holds."""
    raw = path.read_bytes()
    if raw[:4] == b"PAR1":
        frame = pl.read_parquet(path)
        return raw + frame.cast({name: pl.String for name, kind in frame.schema.items() if not kind.is_nested()}).write_json().encode()
    if raw[:15] == b"SQLite format 3":
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return raw + "\n".join(database.iterdump()).encode("utf-8", "replace")
    if raw[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            return raw + b"".join(archive.read(name) for name in archive.namelist())
    if path.suffix == ".duckdb":
        return raw + _of_database(path)
    return raw


def _of_database(path: Path) -> bytes:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as database:
        tables = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return "\n".join(repr(database.execute(f'select * from "{schema}"."{table}"').fetchall()) for schema, table in tables).encode()
