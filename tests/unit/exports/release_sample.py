"""A small warehouse and everything else that a release is built from. As a script, builds a release and dies or runs out of disk."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

import exports
from exports import Column, ReleaseInfo, Table
from exports.model import layout, reuse
from exports.model.info import Context, Facts, FileFacts
from exports.model.topics import Topic

TOPIC = Topic(
    "women",
    {"en": "Women and men", "cs": "Ženy a muži"},
    {"en": "Where women live.", "cs": "Kde žijí ženy."},
    {"en": ("women", "gender"), "cs": ("ženy", "pohlaví")},
    "SOCI",
    ("share", "never"),
)
RELEASED = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
INFO = ReleaseInfo(
    pack="demo",
    title={"en": "Demo indicators", "cs": "Ukázkové ukazatele"},
    publisher={"name": "Example office", "iri": "https://office.example.org/", "email": "data@example.org"},
    licence="CC-BY-4.0",
    base_uri="https://data.example.org/zpo2/",
    country="CZ",
    languages=["en", "cs"],
    sources=[
        {
            "id": "office",
            "title": "Population",
            "publisher": "Statistical office",
            "licence": "CC0-1.0",
            "homepage": "https://stat.example.org/population",
            "citation": "",
        },
        {
            "id": "town",
            "title": "Events",
            "publisher": "Town",
            "licence": "NOASSERTION",
            "homepage": "",
            "citation": "Town (2026)",
            "licence_url": "https://town.example.org/terms",
            "rights": {"en": "Free with attribution."},
            "carrier": {"name": "mirror", "homepage": "https://mirror.example.org", "licence": "MIT"},
        },
    ],
    released=RELEASED,
    inputs_key="inputs-1",
    topics=(TOPIC,),
)
REPORT = {"gate": {"passed": True, "checks": 3}}


def _columns(**described: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, f"About {name}", "persons" if kind == "DOUBLE" else None) for name, kind in described.items())


TABLES = (
    Table(
        "areas",
        "Areas | and their names.",
        _columns(ref_area="VARCHAR", name="VARCHAR", level="VARCHAR", lat="DOUBLE", valid_from="VARCHAR"),
        ("ref_area",),
    ),
    Table("area_parents", "Direct parents.", _columns(ref_area="VARCHAR", parent="VARCHAR", valid_from="VARCHAR"), ("ref_area", "parent")),
    Table("indicators", "Indicators.", _columns(indicator="VARCHAR", title_en="VARCHAR", decimals="BIGINT"), ("indicator",)),
    Table(
        "indicator_values",
        "Values of indicators.",
        _columns(
            indicator="VARCHAR", ref_area="VARCHAR", time_period="VARCHAR", obs_value="DOUBLE", obs_status="VARCHAR", coverage="DOUBLE"
        ),
        ("indicator", "ref_area", "time_period"),
    ),
    Table(
        "latest_values",
        "One column an indicator.",
        _columns(ref_area="VARCHAR", name="VARCHAR", share="DOUBLE"),
        ("ref_area",),
        view_of="indicator_values",
    ),
    Table(
        "peers",
        "Similar areas.",
        _columns(ref_area="VARCHAR", position="BIGINT", peer="VARCHAR", distance="DOUBLE"),
        ("ref_area", "position"),
    ),
)

FILL = """
create schema marts;
create table marts.areas (ref_area varchar, name varchar, level varchar, lat double, valid_from varchar);
insert into marts.areas values
    ('CZ_2', 'Brno, "město"', 'lau', 49.2, ''), ('CZ_1', '=1+1', 'lau', null, '1990-01-01'), ('CZ', null, 'nuts0', 50.123456789012345, ''),
    ('CZ_3', 'two
lines', 'lau', '-0.0', '');
create table marts.area_parents as select * from (values
    ('CZ_2', 'CZ', ''), ('CZ_1', 'CZ', ''), ('CZ_3', 'CZ', '')) t(ref_area, parent, valid_from);
create table marts.indicators as select * from (values
    ('share', 'Share of women', 1::bigint), ('never', '-', null)) t(indicator, title_en, decimals);
create table marts.indicator_values as
    select 'share' as indicator, 'CZ_' || a as ref_area, (2000 + p)::varchar as time_period,
           case when (a + p) % 5 > 0 then a / (p + 1.0)::double end as obs_value,
           case when (a + p) % 5 > 0 then 'A' else 'M' end as obs_status, 1.0::double as coverage
    from range(1, 4) t(a), range(400) u(p)
    order by hash(a * 1000 + p);
create table marts.latest_values as select ref_area, name, 0.1::double + 0.2::double as share from marts.areas;
create table marts.peers (ref_area varchar, position bigint, peer varchar, distance double);
"""


def warehouse(path: Path, *changes: str) -> Path:
    """Create the warehouse at `path`, then run the statements `changes` on it."""
    with duckdb.connect(str(path)) as connection:
        for statement in (FILL, *changes):
            connection.execute(statement)
    return path


@dataclass(frozen=True)
class Home:
    """A workspace folder for builds."""

    root: Path

    @property
    def public(self) -> Path:
        return self.root / "public"

    @property
    def staging(self) -> Path:
        return self.root / "staging"

    def unfinished(self) -> list[str]:
        """Return what a build left in the staging folder beside its note."""
        return sorted(path.name for path in self.staging.iterdir() if path.name != reuse.NOTE)

    def build(
        self,
        source: Path,
        info: ReleaseInfo = INFO,
        tables: tuple[Table, ...] = TABLES,
        report: Mapping[str, Any] = REPORT,
        on_progress: Callable[[str], None] | None = None,
    ) -> exports.Release:
        return exports.build(source, tables, info, self.public, self.staging, report, on_progress)


def later(days: int, inputs_key: str = "inputs-2") -> ReleaseInfo:
    """Return the info of a release some days after the first one."""
    return replace(INFO, released=RELEASED.replace(day=RELEASED.day + days), inputs_key=inputs_key)


def context(info: ReleaseInfo = INFO, facts: Facts | None = None) -> Context:
    """Return the context of a release of the tables, without files."""
    paths = [layout.parquet_path(table.name) for table in TABLES]
    paths += [layout.part_path(table.name, "share") if layout.is_partitioned(table) else layout.csv_path(table.name) for table in TABLES]
    return Context(
        info=info,
        version="2026.11.1",
        tables=TABLES,
        rows={table.name: 1 for table in TABLES},
        guarded={table.name: 0 for table in TABLES},
        foreign_keys=(),
        files={path: FileFacts(1, "ab" * 32) for path in paths},
        quality_report={},
        facts=facts or Facts(),
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return everything in a release that must be reproducible: all but the DuckDB file and its checksum."""
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    del files["indicators.duckdb"]
    sums = files["SHA256SUMS"].splitlines()
    files["SHA256SUMS"] = b"\n".join(line for line in sums if not line.endswith(b"  indicators.duckdb"))
    return files


def die_at(step: str) -> None:
    """Kill this process before or after the n-th call of a function, for example `before os.replace 2`."""
    when, name, number = step.split()
    module_name, _, function_name = name.rpartition(".")
    __import__(module_name)
    module = sys.modules[module_name]
    original, calls = getattr(module, function_name), [0]

    def deadly(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == int(number) and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if calls[0] == int(number) and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, function_name, deadly)


if __name__ == "__main__":
    how, what, source, root, day = sys.argv[1:]
    if how == "die":
        die_at(what)
    elif how == "starve":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(what), int(what)))
    try:
        print(Home(Path(root)).build(Path(source), later(int(day))).version)
    except exports.ReleaseError as error:
        sys.exit(str(error))
