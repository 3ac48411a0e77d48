"""Measure readers and the contract step against the libraries a user would reach for, and against a bare floor, as ratios of one run.

Prints Markdown. Every measurement is a process of its own (imports not counted), the three of a row in turns. Inputs are generated, seeded.
Peers that are not installed are left out and named; they are in the extra `bench`.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """One line of the table: who is compared on which file, and what is aimed at."""

    title: str
    file: str
    peer: str
    floor: str
    aim: str = ""
    share: float = 1  # of the rows that the peer gets, where it would take minutes: its time is scaled by rows


ROWS = {
    "jsonstat_dense": Row("JSON-stat, a million cells in a list", "dense.json", "pyjstat", "orjson, numpy", "≥ 10"),
    "jsonstat_sparse": Row("JSON-stat, a million cells by position", "sparse.json", "pyjstat", "orjson, numpy", "≥ 10"),
    "ics": Row("iCalendar, 2,000 events, 100 of them recurring", "feed.ics", "icalendar", "lines by a regular expression"),
    "xlsx": Row("xlsx, 100,000 rows of 10 columns", "book.xlsx", "openpyxl", "python-calamine"),
    "contract": Row("contract of a million rows, 1 % of them bad", "rows.csv", "frictionless", "polars casts", "≥ 10", share=0.1),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows and cells of the largest inputs; the others shrink with them")
    parser.add_argument("--child", nargs=3, metavar=("ROW", "ROLE", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(_child(*given.child)))
        return 0
    print("| what | ours | peer | floor | **peer / ours** | aim | ours / floor |\n| --- | ---: | ---: | ---: | ---: | --- | ---: |")
    missing = []
    with tempfile.TemporaryDirectory(prefix="zpo2-bench-") as folder:
        write_inputs(Path(folder), given.rows)
        for name, row in ROWS.items():
            found = _measured(name, Path(folder))
            missing += [f"{row.title}: not measured against {row.peer}: {found['peer']['missing']}"] if "missing" in found["peer"] else []
            print(_line(row, found))
    for text in missing:
        print(text)
    return 0


def _measured(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Return {role: {"seconds", "peak"}} of one row: the best of some rounds, the roles in turns."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(ROUNDS):
        for role in ("ours", "peer", "floor"):
            if "missing" in best.get(role, {}):
                continue
            command = [sys.executable, str(Path(__file__)), "--child", name, role, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name} {role}: {done.stderr[-2000:]}")
            found = json.loads(done.stdout.splitlines()[-1])
            if role not in best or found.get("seconds", 0) < best[role].get("seconds", 0):
                best[role] = found
    return best


def _line(row: Row, found: dict[str, dict[str, Any]]) -> str:
    def cell(role: str, name: str = "") -> str:
        one = found[role]
        return "not measured" if "missing" in one else f"{one['seconds']:.2f} s, {one['peak']:.0f} MB{name}"

    ours = found["ours"]["seconds"]
    ratio = "" if "missing" in found["peer"] else f"**{found['peer']['seconds'] / ours:.1f}**"
    scaled = " (scaled)" if row.share < 1 else ""
    return (
        f"| {row.title} | {cell('ours')} | {row.peer}: {cell('peer')}{scaled} | {row.floor}: {cell('floor')} | {ratio} | {row.aim} "
        f"| {ours / found['floor']['seconds']:.1f} |"
    )


def _child(name: str, role: str, folder: str) -> dict[str, Any]:
    """Measure one role of one row in this process."""
    row = ROWS[name]
    path = Path(folder) / row.file
    if role == "peer" and row.share < 1:
        path = path.with_name(f"part-{row.file}")
    try:
        work = ROLES[name.split("_", maxsplit=1)[0], role](path)
    except ImportError as error:
        return {"missing": f"{error.name} is not installed"}
    began = time.perf_counter()
    work()
    seconds = (time.perf_counter() - began) / (row.share if role == "peer" else 1)
    return {"seconds": seconds, "peak": _peak()}


def _peak() -> float:
    """Return the largest memory of this process in MB. Linux hands the figure of getrusage on to a child, so its own is asked for there."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / (1024 if sys.platform == "darwin" else 1)


# ---------------------------------------------------------------------------------------------------------------- who is measured

Work = Callable[[], Any]


def _reader(path: Path, **options: Any) -> Work:
    from pipelines import readers

    chosen = readers.ReadOptions(**options)
    readers.import_module(f"pipelines.readers.{readers.MODULES[chosen.format]}")
    return lambda: readers.read(path, chosen)


def _pyjstat(path: Path) -> Work:
    from pyjstat import pyjstat

    return lambda: pyjstat.Dataset.read(path.read_text(encoding="utf-8")).write("dataframe")


def _bare_cube(path: Path) -> Work:
    import numpy as np
    import orjson
    import polars as pl

    def work() -> pl.DataFrame:
        cube = orjson.loads(path.read_bytes())
        value = cube["value"]
        total = int(np.prod(cube["size"]))
        at = np.arange(total) if isinstance(value, list) else np.fromiter((int(k) for k in value), np.int64, len(value))
        columns, step = {}, total
        for name, size in zip(cube["id"], cube["size"], strict=True):
            step //= size
            columns[name] = pl.Series(list(cube["dimension"][name]["category"]["index"])).gather((at // step) % size)
        columns["value"] = pl.Series(value if isinstance(value, list) else list(value.values()), dtype=pl.Float64)
        return pl.DataFrame(columns)

    return work


def _icalendar(path: Path) -> Work:
    import icalendar

    def work() -> list[tuple[str, Any]]:
        calendar = icalendar.Calendar.from_ical(path.read_bytes())
        return [(str(event["UID"]), event["DTSTART"].dt) for event in calendar.walk("VEVENT")]

    return work


def _bare_calendar(path: Path) -> Work:
    import re

    field = re.compile(r"^(UID|SUMMARY|DTSTART|DTEND|RRULE)[^:\r\n]*:(.*)$", re.MULTILINE)
    return lambda: field.findall(re.sub(r"\r?\n[ \t]", "", path.read_text(encoding="utf-8")))


def _openpyxl(path: Path) -> Work:
    import openpyxl

    return lambda: list(openpyxl.load_workbook(path, read_only=True).active.iter_rows(values_only=True))


def _calamine(path: Path) -> Work:
    import python_calamine

    return lambda: python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


FIELDS: list[dict[str, Any]] = [
    {"name": "code", "type": "string", "constraints": {"required": True, "pattern": "[0-9]{6}"}},
    {"name": "year", "type": "integer", "constraints": {"required": True, "minimum": 1990, "maximum": 2100}},
    {"name": "sex", "type": "string", "constraints": {"enum": ["M", "F"]}},
    {"name": "persons", "type": "integer", "constraints": {"minimum": 0}},
    {"name": "share", "type": "number", "constraints": {"minimum": 0, "maximum": 100}},
    {"name": "day", "type": "date", "constraints": {}},
]


def _contract(path: Path) -> Work:
    """Our step takes the text rows that a reader gives; reading is part of it here, as it is of the peer's."""
    from pipelines import readers
    from quality import contracts

    rules = [
        contracts.ColumnRule(
            name=f["name"], source=f["name"], type=f["type"], required=f["constraints"].get("required", False),
            min=f["constraints"].get("minimum"), max=f["constraints"].get("maximum"), pattern=f["constraints"].get("pattern"),
            values=tuple(f["constraints"]["enum"]) if "enum" in f["constraints"] else None,
        )
        for f in FIELDS
    ]  # fmt: skip
    readers.import_module("pipelines.readers.delimited")
    contracts.check(readers.read(_few(path), readers.ReadOptions(format="csv")), rules)  # pandera's own imports
    return lambda: contracts.check(readers.read(path, readers.ReadOptions(format="csv")), rules)


def _few(path: Path) -> Path:
    few = path.with_name("few.csv")
    with path.open(encoding="utf-8") as file:
        few.write_text("".join(next(file) for _ in range(10)), encoding="utf-8")
    return few


def _frictionless(path: Path) -> Work:
    import frictionless

    schema = frictionless.Schema.from_descriptor({"fields": FIELDS, "missingValues": [""]})
    resource_ = frictionless.Resource(path=path.name, basepath=str(path.parent), schema=schema)
    return lambda: resource_.validate(limit_errors=10**9)


def _bare_contract(path: Path) -> Work:
    import polars as pl

    def work() -> pl.DataFrame:
        text = pl.read_csv(path, infer_schema=False)
        typed = text.with_columns(
            pl.col("year", "persons").cast(pl.Int64, strict=False),
            pl.col("share").cast(pl.Float64, strict=False),
            pl.col("day").str.to_date("%Y-%m-%d", strict=False),
        )
        return typed.select(
            pl.col("code").str.contains("^[0-9]{6}$"), pl.col("year").is_between(1990, 2100), pl.col("sex").is_in(["M", "F"]),
            pl.col("persons") >= 0, pl.col("share").is_between(0, 100), pl.col("day").is_not_null(),
        )  # fmt: skip

    return work


ROLES: dict[tuple[str, str], Callable[[Path], Work]] = {
    ("jsonstat", "ours"): lambda path: _reader(path, format="jsonstat"),
    ("jsonstat", "peer"): _pyjstat,
    ("jsonstat", "floor"): _bare_cube,
    ("ics", "ours"): lambda path: _reader(path, format="ics"),
    ("ics", "peer"): _icalendar,
    ("ics", "floor"): _bare_calendar,
    ("xlsx", "ours"): lambda path: _reader(path, format="xlsx"),
    ("xlsx", "peer"): _openpyxl,
    ("xlsx", "floor"): _calamine,
    ("contract", "ours"): _contract,
    ("contract", "peer"): _frictionless,
    ("contract", "floor"): _bare_contract,
}


# ------------------------------------------------------------------------------------------------------------------------- inputs


def write_inputs(folder: Path, rows: int) -> None:
    """Write every input of the table into `folder`; `rows` is the size of the largest ones."""
    chance = random.Random(1)
    _cubes(folder, rows, chance)
    (folder / "feed.ics").write_bytes(_feed(max(rows // 500, 10), chance))
    (folder / "book.xlsx").write_bytes(_book(max(rows // 10, 10), chance))
    lines = [_person(chance) for _ in range(rows)]
    header = ",".join(f["name"] for f in FIELDS)
    (folder / "rows.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    part = lines[: max(int(rows * ROWS["contract"].share), 1)]
    (folder / "part-rows.csv").write_text("\n".join([header, *part]) + "\n", encoding="utf-8")


def _cubes(folder: Path, cells: int, chance: random.Random) -> None:
    sizes = {"freq": 1, "geo": max(cells // 1000, 1), "sex": 10, "time": 100}
    total = sizes["geo"] * 1000
    values = [None if chance.random() < 0.02 else round(chance.uniform(0, 1000), 2) for _ in range(total)]
    cube = {
        "version": "2.0", "class": "dataset", "id": list(sizes), "size": list(sizes.values()),
        "dimension": {
            name: {"category": {"index": {f"{name}{i}": i for i in range(n)}, "label": {f"{name}{i}": f"{name} no. {i}" for i in range(n)}}}
            for name, n in sizes.items()
        },
    }  # fmt: skip
    (folder / "dense.json").write_text(json.dumps({**cube, "value": values}), encoding="utf-8")
    sparse = {str(i): value for i, value in enumerate(values) if value is not None}
    (folder / "sparse.json").write_text(json.dumps({**cube, "value": sparse}), encoding="utf-8")


def _feed(events: int, chance: random.Random) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN"]
    for i in range(events):
        day = f"2024{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{i}@bench.example.org",
            "DTSTAMP:20240101T000000Z",
            f"DTSTART:{day}T180000Z",
            f"DTEND:{day}T200000Z",
        ]
        lines += [f"SUMMARY:Concert number {i} of a season with a title", "  that is folded over two lines"]
        lines += ["RRULE:FREQ=WEEKLY;COUNT=10"] if i % 20 == 0 else []
        lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def _book(rows: int, chance: random.Random) -> bytes:
    try:
        import openpyxl
    except ImportError:
        return b""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    sheet.append([f"column {i}" for i in range(10)])
    for i in range(rows):
        sheet.append([f"{i:06}", *(round(chance.uniform(0, 1000), 1) for _ in range(8)), "text"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _person(chance: random.Random) -> str:
    cells = [
        f"{chance.randrange(10**6):06}", str(chance.randint(1990, 2100)), chance.choice("MF"), str(chance.randint(0, 10**6)),
        f"{chance.uniform(0, 100):.2f}", f"20{chance.randint(0, 99):02}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
    ]  # fmt: skip
    if chance.random() < 0.01:
        cells[chance.randrange(6)] = chance.choice(["x", "-5", "", "9999-99-99"])
    return ",".join(cells)


if __name__ == "__main__":
    sys.exit(main())
