"""From `confidential_below` to the files of a release: nothing gives a suppressed count away, in no file and by no calculation."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from pipelines.warehouse import suppression_audit
from tests.support import secret_pack, small_warehouse
from tests.support.command import zpo2
from tests.support.small_warehouse import SmallWarehouse

pytestmark = pytest.mark.slow

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
NUMBERS = ("obs_value", "numerator", "denominator", "lower_95", "upper_95", "lower_998", "upper_998")
OPEN = {"indicators/all.yml": secret_pack.INDICATORS.replace("  confidential_below: 11\n", "")}
# one more man is ill in a3
CHANGED = {"data/cases_2021.csv": secret_pack.cases(2021, {**secret_pack.ILL, "a3": (60, 61)})}
KEY = "indicator, ref_area, time_period, sex, age"
SUPPRESSED = """
    select i.indicator, a.ref_area, p.time_period, x.sex, x.age, s.is_primary, c.obs_value, c.numerator, c.denominator
    from intermediate.int_suppressed_cells as s
    inner join intermediate.int_computed_cells as c using (indicator_key, area_key, period_key, breakdown_key)
    inner join staging.stg_indicators as i using (indicator_key)
    inner join dimensions.dim_area as a using (area_key)
    inner join dimensions.dim_period as p using (period_key)
    inner join dimensions.dim_breakdown as x using (breakdown_key)"""


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    """The warehouse of the changed pack, built from nothing."""
    root = tmp_path_factory.mktemp("cold")
    return small_warehouse.build(secret_pack.write(root / "pack", CHANGED), root / "home")


@dataclass(frozen=True)
class Releases:
    """The release before anything was declared confidential, and the one after that and a changed input."""

    home: Path
    pack: Path
    before: Path
    after: Path
    output: str


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    root = tmp_path_factory.mktemp("secret")
    pack, home = secret_pack.write(root / "pack", OPEN), root / "home"
    folders, output = [], ""
    for changes in ({}, CHANGED):
        if changes:
            secret_pack.write(pack, changes)
        done = zpo2("run", "--pack", pack, "--home", home)
        assert done.returncode == 0, done.stdout + done.stderr
        latest = json.loads((home / "public" / "latest.json").read_text(encoding="utf-8"))
        folders.append(home / "public" / latest["path"])
        output = done.stdout + done.stderr
    return Releases(home, pack, folders[0], folders[1], output)


def texts(path: Path, content: bytes) -> Iterator[str]:
    """Yield everything that a file holds, as text."""
    if path.suffix == ".gz":
        yield from texts(path.with_suffix(""), gzip.decompress(content))
    elif path.suffix in (".xlsx", ".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from texts(Path(name), archive.read(name))
    elif path.suffix in (".parquet", ".duckdb"):
        with duckdb.connect() as connection:
            relations = [f"read_parquet('{path}')"]
            if path.suffix == ".duckdb":
                connection.execute(f"attach '{path}' as other (read_only)")
                names = "select schema_name, table_name from duckdb_tables() where database_name = 'other' union all "
                names += "select schema_name, view_name from duckdb_views() where database_name = 'other' and not internal"
                relations = [f'other."{schema}"."{name}"' for schema, name in connection.execute(names).fetchall()]
            for relation in relations:
                for row in connection.execute(f"from {relation}").fetchall():
                    yield " ".join(repr(cell) for cell in row)
    else:
        yield content.decode("utf-8", errors="ignore")


def numbers_in(folder: Path) -> dict[str, set[str]]:
    """Return the numbers in each file, to nine significant digits."""
    return {
        str(path.relative_to(folder)): {f"{float(n):.9g}" for text in texts(path, path.read_bytes()) for n in NUMBER.findall(text)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def secrets(cold: SmallWarehouse, before: Path) -> set[str]:
    """Return the numbers of suppressed cells, now and in the earlier release, that no open cell has."""
    hidden = cold.connection.execute(f"select obs_value, numerator, denominator from ({SUPPRESSED})").fetchall()
    earlier = f"read_parquet('{before / 'parquet' / 'indicator_values.parquet'}')"
    hidden += cold.connection.execute(
        f"select v.obs_value, v.numerator, v.denominator from {earlier} as v semi join ({SUPPRESSED}) as s using ({KEY})"
    ).fetchall()
    shown = cold.connection.execute(f"select {', '.join(NUMBERS)} from marts.indicator_values").fetchall()
    public, small = {f"{n:.9g}" for row in shown for n in row if n is not None}, 1000
    return {f"{n:.9g}" for row in hidden for n in row if n is not None and (n > small or n != int(n))} - public


def test_no_file_of_the_release_has_a_suppressed_number(cold: SmallWarehouse, releases: Releases) -> None:
    hidden = secrets(cold, releases.before)
    assert len(hidden) > 50
    shown_before = {name: numbers & hidden for name, numbers in numbers_in(releases.before).items()}
    kinds = {Path(name).suffix for name, numbers in shown_before.items() if numbers}
    assert {".csv", ".parquet", ".duckdb", ".json"} <= kinds, "otherwise this test could not find them"
    after = numbers_in(releases.after)
    assert [name for name, numbers in after.items() if name.endswith(".xlsx") and "703094" in numbers], (
        "the open beds of a3 are in the workbook"
    )
    assert {name: found for name, numbers in after.items() if (found := numbers & hidden)} == {}
    log = (releases.home / "log.jsonl").read_text(encoding="utf-8")
    assert not hidden & {f"{float(n):.9g}" for n in NUMBER.findall(log + releases.output)}


def test_suppressed_rows_have_no_numbers(cold: SmallWarehouse, releases: Releases) -> None:
    table = f"read_parquet('{releases.after / 'parquet' / 'indicator_values.parquet'}')"
    rows = cold.connection.execute(
        f"select obs_status, {', '.join(f'v.{n}' for n in NUMBERS)} from {table} as v semi join ({SUPPRESSED}) as s using ({KEY})"
    ).fetchall()
    assert len(rows) > 30
    assert set(rows) == {("C", *[None] * len(NUMBERS))}


def test_changed_input_gives_what_a_new_warehouse_gives(cold: SmallWarehouse, releases: Releases) -> None:
    query = f"select {KEY}, obs_status, obs_value, numerator, denominator, coverage from marts.indicator_values order by all"
    with duckdb.connect(str(releases.home / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute(query).fetchall() == cold.connection.execute(query).fetchall()


def test_report_has_the_audit_and_names_the_earlier_release(releases: Releases) -> None:
    report = json.loads((releases.after / "quality" / "report.json").read_text(encoding="utf-8"))["gate"]["suppression"]
    assert report["derivable"] == 0
    assert report["primary"] == 7
    assert report["secondary"] > 7
    assert report["seconds_at_most"] in suppression_audit.STEPS
    assert report["largest_programme"]["unknown_counts"] > 0
    assert report["releases_to_withdraw"] == [releases.before.name]
    assert f"releases {releases.before.name}; `zpo2 withdraw" in " ".join(releases.output.split())
    assert f"should be withdrawn: {releases.before.name}" in (releases.after / "CHANGELOG.md").read_text(encoding="utf-8")


def test_changes_say_that_a_cell_is_confidential_now_and_not_what_it_was(releases: Releases) -> None:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select \"column\", old, new from read_parquet('{releases.after / 'parquet' / 'changes.parquet'}') "
            'where "table" = \'indicator_values\' and key like \'%ill_share%"a1"%2021%"M"%\''
        ).fetchall()
    assert rows == [("obs_status", "A", "C")]


def test_explain_shows_no_count(cold: SmallWarehouse, releases: Releases) -> None:
    own = zpo2("explain", "ill_share", "a1", "2021", "--sex", "M", "--json", "--pack", releases.pack, "--home", releases.home)
    parent = zpo2("explain", "well_share", "O1", "2021", "--sex", "M", "--pack", releases.pack, "--home", releases.home)
    assert (own.returncode, parent.returncode) == (0, 0), own.stderr + parent.stderr
    assert json.loads(own.stdout)["value"]["numerator"] is None
    assert "confidential" in own.stdout
    assert not secrets(cold, releases.before) & {f"{float(n):.9g}" for n in NUMBER.findall(own.stdout + parent.stdout)}


def test_small_counts_complements_and_marked_cells_are_primary(cold: SmallWarehouse) -> None:
    rows = cold.connection.execute(f"select indicator, ref_area, time_period, sex from ({SUPPRESSED}) where is_primary").fetchall()
    ill = {("ill_share", area, year, sex) for year in ("2020", "2021") for area, sex in (("a1", "M"), ("a8", "M"), ("a8", "F"))}
    assert set(rows) == {("beds", "a2", "2021", "_T"), *ill}
    hidden = {row[:4] for row in cold.connection.execute(SUPPRESSED).fetchall()}
    assert {("well_share", *row[1:]) for row in ill} <= hidden, "the well and all give the ill away"
    assert any(row[0] == "beds" and row[1] != "a2" for row in hidden), "the district less all other places would be its beds"


def test_audit_finds_what_a_published_cell_gives_away(cold: SmallWarehouse) -> None:
    """Each secondary cell is needed by some other: where one complement is published, the audit finds the primary one."""
    pack = cold.workspace.pack
    result = suppression_audit.audit(cold.connection, pack)
    assert result is not None
    assert (result.primary, result.derivable, suppression_audit.check(result).passed) == (7, (), True)
    cold.connection.execute("create temp table kept as from marts.indicator_values")
    try:
        cold.connection.execute(
            f"update marts.indicator_values as v set numerator = s.numerator, denominator = s.denominator, obs_status = 'A' from ({SUPPRESSED}) as s "
            "where s.indicator = 'well_share' and s.ref_area = 'a1' and s.sex = 'M' and s.time_period = '2021' and v.indicator = s.indicator "
            "and v.ref_area = s.ref_area and v.sex = s.sex and v.time_period = s.time_period"
        )
        broken = suppression_audit.audit(cold.connection, pack)
    finally:
        cold.connection.execute("create or replace table marts.indicator_values as from kept")
    assert broken is not None
    assert "ill_share a1 2021 M _T" in broken.derivable
    check = suppression_audit.check(broken)
    assert (check.passed, check.severity) == (False, "error")
