"""The changes of a release in its table, its view, its CHANGELOG and its comparison on request, and their verification."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import release_sample
from release_sample import INFO, Home, contents, later

import exports
from exports.changes.published import REVISIONS, TABLE
from exports.model import checksums
from exports.model.provenance import IndicatorFacts, Provenance, SourceFacts
from exports.release import comparison, lifecycle
from tests.support.copies import to_spoil

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
THEN = Provenance(sources={"office": SourceFacts({"": "x"})}, indicators={"share": IndicatorFacts("i", ["office"])})
BREAK = {"source": "office", "measure": "people", "period": "2001", "note": "a census"}
NOW = replace(THEN, sources={"office": SourceFacts({"": "y"})}, breaks=[BREAK])
CHANGES = (
    "update marts.indicator_values set obs_value = -5.5 where ref_area = 'CZ_1' and time_period = '2001'",
    "update marts.indicator_values set obs_value = null, obs_status = 'M' where ref_area = 'CZ_2' and time_period = '2001'",
    "delete from marts.indicator_values where ref_area = 'CZ_3' and time_period = '2010'",
    "insert into marts.indicators values ('third', 'Third', 0)",
    "update marts.latest_values set share = 7",
)


@pytest.fixture(scope="module")
def revised_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_sample.warehouse(tmp_path_factory.mktemp("revised") / "warehouse.duckdb", *CHANGES)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, warehouse: Path, revised_warehouse: Path) -> Home:
    """A home with two releases. Tests that change it take a copy."""
    home = Home(tmp_path_factory.mktemp("two"))
    home.build(warehouse, replace(INFO, provenance=THEN))
    home.build(revised_warehouse, replace(later(1), provenance=NOW))
    return home


@pytest.fixture
def copy(two: Home, tmp_path: Path) -> Home:
    return Home(to_spoil(two.root, tmp_path / "copy"))


def folder(home: Home, number: int) -> Path:
    return home.public / "releases" / f"2026.11.{number}"


def listed(release: Path) -> list[dict[str, str]]:
    with (release / "csv" / "changes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestChangesTable:
    def test_lists_every_difference(self, two: Home) -> None:
        assert listed(folder(two, 1)) == []
        rows = listed(folder(two, 2))
        assert [(r["table"], json.loads(r["key"]).get("ref_area"), r["column"], r["kind"], r["old"], r["new"]) for r in rows] == [
            ("indicator_values", "CZ_1", "obs_value", "source revised", "0.5", "'-5.5"),
            ("indicator_values", "CZ_2", "obs_status", "source revised", "A", "M"),
            ("indicator_values", "CZ_2", "obs_value", "source revised", "1.0", ""),
            ("indicator_values", "CZ_3", "", "withdrawn", '{"obs_value":0.272727272727,"obs_status":"A","coverage":1.0}', ""),
            ("indicators", None, "", "new", "", '{"title_en":"Third","decimals":0}'),
        ]
        assert {r["from_version"] for r in rows} == {"2026.11.1"}

    def test_is_described_like_other_tables(self, two: Home) -> None:
        release = folder(two, 2)
        package = json.loads((release / "datapackage.json").read_bytes())
        resource = next(r for r in package["resources"] if r["name"] == "changes")
        assert resource["schema"]["primaryKey"] == ["table", "key", "column"]
        described = json.loads((release / "csv" / "csv-metadata.json").read_bytes())["tables"]
        assert "changes.csv" in {table["url"] for table in described}
        report = json.loads((release / "quality" / "report.json").read_bytes())
        assert report["rows"]["changes"] == 5
        assert report["guarded_text_cells"]["tables"]["changes"] == 1
        parquet = pl.read_parquet(release / "parquet" / "changes.parquet")
        assert parquet.schema == dict.fromkeys((c.name for c in TABLE.columns), pl.String)
        assert parquet["old"].null_count() == 1

    def test_view_has_keys_and_numbers(self, two: Home) -> None:
        with duckdb.connect(str(folder(two, 2) / "indicators.duckdb"), read_only=True) as connection:
            rows = connection.execute('select ref_area, time_period, "column", kind, old_number, new_number from revisions').fetchall()
            assert rows[0] == ("CZ_1", "2001", "obs_value", "source revised", 0.5, -5.5)
            assert len(rows) == 4
            both = connection.execute(
                'select count(*) from (select "table", key, "column", kind, old, new, from_version from revisions intersect from changes)'
            ).fetchall()
            assert both == [(4,)]
            comments = dict(connection.execute("select view_name, comment from duckdb_views() where not internal").fetchall())
        assert comments == {"revisions": REVISIONS.description}

    def test_changelog_summarises_it(self, two: Home) -> None:
        text = (folder(two, 2) / "CHANGELOG.md").read_text(encoding="utf-8")
        for line in (
            "Compared with release 2026.11.1. The table `changes` lists every difference with its old and its new value.",
            "* new indicators: `third`",
            "* declared break in `people` of the source `office`, 2001: a census",
            "| `indicator_values` | 1200 | 0 | 1 | 1199 | 3 |",
            "| `areas` | 4 | 0 | 0 | 4 | 0 |",
            "| `indicator_values` | 3 |",
            "| `share` | 1 | 1 | 0 | 1200.0 % | CZ_1, 2001 |",
        ):
            assert line in text.splitlines(), text
        assert "latest_values" not in text


# ------------------------------------------------------------------------------------------------------------------ verification


def falsify(release: Path, change: str) -> None:
    """Rewrite the Parquet and the CSV file of `changes` with a statement, and put all checksums right again."""
    from exports.formats import csv as csv_file
    from exports.formats import parquet

    with duckdb.connect() as connection:
        connection.execute(f"create table changes as from read_parquet('{release / 'parquet' / 'changes.parquet'}')")
        connection.execute(change)
        frame = connection.execute('from changes order by "table", key, "column"').pl()
    schema = parquet.schema_of(TABLE)
    with parquet.open_writer(release / "parquet" / "changes.parquet", TABLE, schema, []) as writer:
        writer.write_table(frame.to_arrow().cast(schema))
    csv_file.write(frame, release / "csv" / "changes.csv")
    checksums.write(release, {})


class TestVerify:
    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ("update changes set kind = 'because' where kind = 'new'", "1 rows have the unknown kind 'because'"),
            (
                "update changes set from_version = '2026.10.9' where kind = 'new'",
                "compares with 2026.10.9, but provenance.json says 2026.11.1",
            ),
            ("update changes set key = replace(key, 'CZ_1', 'CZ_8')", "1 rows have a key that is not in parquet/indicator_values.parquet"),
            (
                "update changes set kind = 'withdrawn' where old = '0.5'",
                "1 rows are marked as withdrawn, but their key is in parquet",
            ),
            ("update changes set new = '5.5' where old = '0.5'", "1 cells of indicator_values.obs_value have a different value in"),
            ("update changes set new = 'A' where new = 'M'", "1 cells of indicator_values.obs_status have a different value in"),
            ("delete from changes where kind = 'withdrawn'", "1200 rows in 2026.11.1 + 0 new - 0 withdrawn is not the 1199 rows now"),
            ("delete from changes where kind = 'new'", "2 rows in 2026.11.1 + 0 new - 0 withdrawn is not the 3 rows now"),
        ],
    )
    def test_finds_wrong_changes(self, copy: Home, change: str, fault: str) -> None:
        assert exports.verify(folder(copy, 2)) == []
        falsify(folder(copy, 2), change)
        assert [f for f in exports.verify(folder(copy, 2)) if fault in f] != []

    def test_skips_counts_without_previous_release(self, copy: Home) -> None:
        shutil.rmtree(folder(copy, 1))
        falsify(folder(copy, 2), "delete from changes where kind = 'withdrawn'")
        assert [f for f in exports.verify(folder(copy, 2)) if "withdrawn is not" in f] == []

    def test_finds_wrong_views(self, copy: Home) -> None:
        path = folder(copy, 2) / "indicators.duckdb"
        for change, fault in (
            ("create or replace view revisions as from changes", "5 rows in view revisions, but 4 in changes"),
            ("drop view revisions", "view revisions is missing"),
            ("create view more as select 1 as one", "view more does not belong to a release"),
        ):
            with duckdb.connect(str(path)) as connection:
                connection.execute(change)
            assert [f for f in exports.verify(folder(copy, 2)) if fault in f] != []


# ----------------------------------------------------------------------------------------------------------- any earlier release


class TestCompareCurrent:
    def test_compares_with_any_earlier_release(self, copy: Home, changed_warehouse: Path, tmp_path: Path) -> None:
        copy.build(changed_warehouse, later(3))  # the area is new, all else is as in the first
        out = tmp_path / "out.csv"
        first = comparison.compare_current(copy.public, "2026.11.1", tmp_path, out)
        assert first.summary is not None
        assert {name: t.added for name, t in first.summary.tables.items() if not t.is_unchanged} == {"areas": 1}
        with out.open(newline="") as file:
            assert [(r["table"], r["kind"], r["from_version"]) for r in csv.DictReader(file)] == [("areas", "new", "2026.11.1")]
        last = comparison.compare_current(copy.public, None, tmp_path)
        assert last.summary is not None
        assert (last.version, last.summary.version, last.summary.tables["indicator_values"].added) == ("2026.11.3", "2026.11.2", 1)
        json.dumps(last.summary.to_json(), allow_nan=False)

    @pytest.mark.parametrize("why", ["unknown", "pruned", "damaged"])
    def test_rejects_missing_release(self, copy: Home, tmp_path: Path, why: str) -> None:
        version, text = "2026.11.1", ""
        if why == "unknown":
            version, text = "2026.11.9", "no such release; the releases are 2026.11.1, 2026.11.2"
        elif why == "pruned":
            lifecycle.prune(copy.public, copy.staging, 1, NOON)
            text = "its files were removed at 2026-11-23T12:00:00Z"
        else:
            (folder(copy, 1) / "parquet" / "areas.parquet").unlink()
            text = "cannot compare with 2026.11.1: its parquet/areas.parquet is damaged or missing"
        with pytest.raises(exports.ReleaseError, match=text):
            comparison.compare_current(copy.public, version, tmp_path)

    def test_accepts_first_release(self, home: Home, warehouse: Path, tmp_path: Path) -> None:
        with pytest.raises(exports.ReleaseError, match="nothing has been published yet"):
            comparison.compare_current(home.public, None, tmp_path)
        home.build(warehouse)
        assert comparison.compare_current(home.public, None, tmp_path) == comparison.Comparison("2026.11.1", None)


class TestBuild:
    def test_makes_no_version_for_changed_comparison(self, copy: Home, revised_warehouse: Path) -> None:
        before = contents(folder(copy, 2))
        again = copy.build(revised_warehouse, replace(later(3), provenance=THEN))
        assert (again.version, again.changed, again.tables["changes"]) == ("2026.11.2", False, 5)
        assert contents(folder(copy, 2)) == before

    def test_is_reproducible_with_previous_release(self, two: Home, tmp_path: Path, warehouse: Path, revised_warehouse: Path) -> None:
        other = Home(tmp_path / "other")
        other.build(warehouse, replace(INFO, provenance=THEN))
        other.build(revised_warehouse, replace(later(1), provenance=NOW))
        assert contents(folder(other, 2)) == contents(folder(two, 2))

    def test_compares_with_current_release_after_rollback(self, copy: Home, changed_warehouse: Path) -> None:
        lifecycle.rollback(copy.public, copy.staging, "2026.11.1", "wrong", NOON)
        third = copy.build(changed_warehouse, later(3))
        assert third.version == "2026.11.3"
        assert [(r["table"], r["kind"], r["from_version"]) for r in listed(third.path)] == [("areas", "new", "2026.11.1")]

    def test_reports_damaged_previous_release(self, copy: Home, changed_warehouse: Path) -> None:
        damaged = folder(copy, 2) / "parquet" / "areas.parquet"
        damaged.write_bytes(damaged.read_bytes() + b"!")
        messages: list[str] = []
        third = copy.build(changed_warehouse, later(3), on_progress=messages.append)
        assert "cannot compare with 2026.11.2: its parquet/areas.parquet is damaged or missing" in messages
        assert listed(third.path) == []
        assert (
            "This release could not be compared with release 2026.11.2: its parquet/areas.parquet is damaged"
            in (third.path / "CHANGELOG.md").read_text()
        )
        assert json.loads((third.path / "provenance.json").read_bytes())["compared_with"] is None
        assert exports.verify(third.path) == []

    def test_writes_provenance_record(self, two: Home) -> None:
        value: dict[str, Any] = json.loads((folder(two, 2) / "provenance.json").read_bytes())
        assert (value.pop("version"), value.pop("compared_with")) == ("2026.11.2", "2026.11.1")
        assert Provenance.from_json(value).to_json() == json.loads(json.dumps(NOW.to_json()))
