"""Files that did not change are links to those of the previous release; damaged files never are, and the bytes do not depend on it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import derived_sample
import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from release_sample import Home, contents, later

import exports
from exports.formats import parquet, prepare_table
from exports.model import connection, reuse
from exports.model.errors import DiskFullError, MemoryLimitError
from exports.release import lifecycle, public_folder
from tests.support.copies import writable

pytestmark = pytest.mark.slow

MORE = """
insert into marts.indicator_values
    select indicator, ref_area, time_period, sex, '_T', 'lau', hash(indicator, ref_area, time_period, sex) % 1000 / 7.0, 'A', 1, null, 1,
        '1', 'office'
    from (values ('births'), ('deaths'), ('jobs'), ('zoos')) t(indicator), marts.areas, (values ('2020'), ('2021')) u(time_period),
        (values ('M'), ('F')) v(sex);
insert into marts.indicators select distinct indicator, indicator, '1', 'office' from marts.indicator_values
    where indicator not in (select indicator from marts.indicators);
"""
OTHER_VALUE = "update marts.indicator_values set obs_value = obs_value + 1 where indicator = 'jobs' and ref_area = '001' and sex = 'F'"
UNCHANGED = ("area_parents", "areas", "indicators", "latest_values", "peers")
"""The tables that another value of an indicator leaves as they are."""
CHANGES = {
    "a value": OTHER_VALUE,
    "a row less": "delete from marts.indicator_values where indicator = 'births' and ref_area = '002'",
    "an indicator less": "delete from marts.indicator_values where indicator = 'deaths'",
    "an indicator more": "insert into marts.indicator_values select * replace ('middle' as indicator) from marts.indicator_values "
    "where indicator = 'jobs'",
    "a first and a last indicator": "insert into marts.indicator_values select v.* replace (name as indicator) "
    "from marts.indicator_values as v, (values ('aaa'), ('zzz')) t(name) where indicator = 'jobs'",
    "a new text": "update marts.indicator_values set sources = '=1+1' where indicator = 'zoos' and sex = 'M'",
    "a text less": "update marts.indicator_values set level = 'nuts0'",
    "the name of an area": "update marts.areas set name = 'Jihlava' where ref_area = '001'",
    "the title of an indicator": "update marts.indicators set title_en = 'Work' where indicator = 'jobs'",
    "another order and a value": "create or replace table marts.indicator_values as from marts.indicator_values order by hash(columns(*)::varchar); "
    + OTHER_VALUE,
}


def warehouse(path: Path, *changes: str) -> Path:
    with duckdb.connect(str(path)) as connection_:
        for statement in (derived_sample.FILL, MORE, *changes):
            connection_.execute(statement)
    return path


def build(home: Home, source: Path, day: int = 0) -> exports.Release:
    return home.build(source, later(day), tables=derived_sample.TABLES)


def linked(release: exports.Release) -> set[str]:
    return {p.relative_to(release.path).as_posix() for p in release.path.rglob("*") if p.is_file() and p.stat().st_nlink > 1}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warehouse(tmp_path_factory.mktemp("first") / "warehouse.duckdb")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warehouse(tmp_path_factory.mktemp("second") / "warehouse.duckdb", OTHER_VALUE)


def without_note(home: Home) -> Home:
    """Return a copy of a home that has only what is published."""
    copy = Home(home.root.with_name(f"{home.root.name}-copy"))
    shutil.copytree(home.public, copy.public, symlinks=True)
    return copy


class TestLinks:
    def test_only_what_changed_is_written(self, home: Home, first: Path, second: Path) -> None:
        build(home, first)
        release = build(home, second, 1)
        tables = {f"{kind}/{name}.{kind}" for name in UNCHANGED for kind in ("csv", "parquet")}
        names = ("births", "deaths", "share", "zoos")
        by_indicator = {path for n in names for path in (f"csv/indicator_values/{n}.csv", f"jsonstat/{n}.json")}
        by_indicator |= {f"api/v1/indicators/{n}{ending}" for n in names for ending in (".json", "/series.json")}
        by_indicator.add("csv/indicator_values/never.csv")  # it has rows, but no value
        of_site = {path for path in linked(release) if path.startswith("site/")}
        assert linked(release) - of_site == tables | by_indicator | {
            "geo/areas.parquet",
            "geo/areas.geojson",
            "topics/women.csv",
            "topics/women.parquet",
        }
        assert "site/data/indicators/share.json" in of_site
        assert not of_site & {"site/data/meta.en.json", "site/data/files.json", "site/data/indicators/jobs.json"}
        assert {oct(p.stat().st_mode & 0o777) for p in release.path.rglob("*") if p.is_file()} == {"0o444"}
        assert exports.verify(release.path) == []

    @pytest.mark.parametrize(("change", "rows"), [("a value", parquet.ROW_GROUP), *((change, 20) for change in CHANGES)])
    def test_bytes_are_those_of_a_build_without_links(
        self, home: Home, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, rows: int
    ) -> None:
        monkeypatch.setattr(parquet, "ROW_GROUP", rows)
        monkeypatch.setattr(prepare_table, "ROW_GROUP", min(rows, 7))
        build(home, first)
        copy = without_note(home)
        other = warehouse(tmp_path / "other.duckdb", CHANGES[change])
        release, undisturbed = build(home, other, 1), build(copy, other, 1)
        assert release.version == undisturbed.version == "2026.11.2"
        assert len(linked(release)) > 4
        assert linked(undisturbed) == set()
        assert contents(release.path) == contents(undisturbed.path)
        with pq.ParquetFile(release.path / "parquet" / "indicator_values.parquet") as file:
            sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        assert set(sizes[:-1]) <= {rows}
        assert sum(sizes) == release.tables["indicator_values"]

    def test_third_release_continues(self, home: Home, first: Path, second: Path, tmp_path: Path) -> None:
        build(home, first)
        build(home, second, 1)
        copy = without_note(home)
        third = warehouse(tmp_path / "third.duckdb", CHANGES["a row less"])
        release = build(home, third, 2)
        assert contents(release.path) == contents(build(copy, third, 2).path)
        assert (release.path / "jsonstat/zoos.json").stat().st_nlink == 3

    @pytest.mark.parametrize(
        "path",
        [
            "csv/areas.csv", "parquet/indicator_values.parquet", "csv/indicator_values/births.csv", "jsonstat/births.json",
            "geo/areas.geojson", "csv/indicator_values/jobs.csv",
        ],
    )  # fmt: skip
    def test_flipped_byte_is_never_linked(self, home: Home, first: Path, second: Path, path: str) -> None:
        before = build(home, first)
        copy = without_note(home)
        for damaged in (home, copy):
            file = damaged.public / "releases" / before.version / path
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            writable(file.parent.parent)
            file.write_bytes(content)
        release = build(home, second, 1)
        assert path not in linked(release)
        assert len(linked(release)) > 10
        assert exports.verify(release.path) == []
        assert contents(release.path) == contents(build(copy, second, 1).path)

    def test_other_versions_of_the_writers_write_everything(
        self, home: Home, first: Path, second: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        build(home, first)
        copy = without_note(home)
        monkeypatch.setattr(reuse, "version", lambda library: "99" if library == "duckdb" else "1")
        release = build(home, second, 1)
        assert linked(release) == set()
        assert contents(release.path) == contents(build(copy, second, 1).path)

    @pytest.mark.parametrize("note", ["", "{", "[]", '{"a": 1}', "null"])
    def test_unreadable_note_writes_everything(self, home: Home, first: Path, second: Path, note: str) -> None:
        build(home, first)
        (home.staging / reuse.NOTE).write_text(note)
        assert linked(build(home, second, 1)) == set()

    def test_note_of_another_release_writes_everything(self, home: Home, first: Path, second: Path, tmp_path: Path) -> None:
        build(home, first)
        other = Home(tmp_path / "other")
        build(other, second)
        shutil.copy(other.staging / reuse.NOTE, home.staging / reuse.NOTE)
        assert linked(build(home, second, 1)) == set()

    def test_unchanged_build_notes_the_current_release(self, home: Home, first: Path, second: Path) -> None:
        build(home, first)
        (home.staging / reuse.NOTE).unlink()
        assert not build(home, first, 1).changed
        assert "parquet/areas.parquet" in linked(build(home, second, 2))

    def test_changed_description_writes_only_what_states_it(self, home: Home, first: Path) -> None:
        build(home, first)
        tables = [dataclasses.replace(t, description="New.") if t.name == "peers" else t for t in derived_sample.TABLES]
        release = home.build(first, later(1), tables=tuple(tables))
        assert {"parquet/areas.parquet", "parquet/indicator_values.parquet", "csv/indicator_values/jobs.csv"} <= linked(release)
        assert "parquet/peers.parquet" not in linked(release)

    def test_file_system_without_links_gets_copies(self, home: Home, first: Path, second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        build(home, first)
        copy = without_note(home)

        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        release = build(home, second, 1)
        assert linked(release) == set()
        assert contents(release.path) == contents(build(copy, second, 1).path)

    def test_prune_counts_only_bytes_that_are_freed(self, home: Home, first: Path, second: Path) -> None:
        build(home, first)
        build(home, second, 1)
        folders = [home.public / "releases" / version for version in ("2026.11.1", "2026.11.2")]
        alone = sum(p.stat().st_size for p in folders[0].rglob("*") if p.is_file() and p.stat().st_nlink == 1)
        pruned = lifecycle.prune(home.public, home.staging, 1, later(2).released)
        assert pruned.bytes == alone
        assert exports.verify(folders[1]) == []


LONG = "insert into marts.areas select 'X' || i, md5(i::varchar), null, '2000-01-01', null, null from range(250000) t(i)"


class TestLimits:
    def test_full_spill_folder_is_one_clear_message(self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "SMALLEST", 32 << 20)
        source = warehouse(tmp_path / "large.duckdb", LONG)
        build_large = partial(exports.build, source, derived_sample.TABLES, later(0), home.public, home.staging, {}, memory=64 << 20)
        with pytest.raises(DiskFullError) as error:
            build_large(spill_bytes=2 << 20)
        (line,) = error.value.lines
        assert line.startswith(f"{home.staging / public_folder.WORK / 'spill'}: ")
        assert "more than the 2.1 MB that they may take" in line
        assert "the current release is unchanged" in line
        assert home.unfinished() == []

    def test_too_little_memory_is_one_clear_message(self, home: Home, first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "SMALLEST", 1 << 10)
        with pytest.raises(MemoryLimitError, match="needs more memory than the") as error:
            exports.build(first, derived_sample.TABLES, later(0), home.public, home.staging, {}, memory=1 << 20)
        assert len(error.value.lines) == 1

    def test_full_disk_is_one_clear_message(self, tmp_path: Path, first: Path, second: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
            pytest.skip("no file system of its own can be mounted here")
        try:
            home = Home(disk / "home")
            release = build(home, first)
            size = sum(p.stat().st_size for p in release.path.rglob("*") if p.is_file())
            for free in (30_000, 100_000, 400_000):
                filler = disk / "filler"
                filler.write_bytes(b"\0" * (shutil.disk_usage(disk).free - free))
                with pytest.raises(DiskFullError) as error:
                    build(home, second, 1)
                filler.unlink()
                (line,) = error.value.lines
                assert line.startswith(f"{home.staging}: No space left on device: "), line
                assert f"one more release as large as the current one needs {connection.size(size)}" in line
        finally:
            subprocess.run(["umount", str(disk)], check=False)

    def test_tables_of_many_texts_have_the_same_bytes_in_any_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the site and the files for programs, which have files for each area and take no limit of memory."""
        monkeypatch.setattr(connection, "SMALLEST", 32 << 20)
        source = warehouse(tmp_path / "large.duckdb", LONG)
        info = dataclasses.replace(later(0), formats=[name for name in later(0).formats if name not in ("api", "site")])
        releases = []
        for memory in (64 << 20, 2 << 30):
            home = Home(tmp_path / str(memory))
            releases.append(exports.build(source, derived_sample.TABLES, info, home.public, home.staging, {}, memory=memory))
        assert contents(releases[0].path) == contents(releases[1].path)
        areas = pl.read_parquet(releases[0].path / "parquet" / "areas.parquet")["ref_area"]
        assert areas.is_sorted()


def test_digest_depends_on_rows_and_not_on_their_order(first: Path, second: Path, tmp_path: Path) -> None:
    def digests(source: Path, table: exports.Table = derived_sample.VALUES) -> reuse.TableDigest:
        with duckdb.connect() as connection_:
            connection_.execute(f"attach '{source}' as warehouse (read_only)")
            return prepare_table.digest(connection_, prepare_table.relation(connection_, "warehouse", table), table, None, {})

    def differing(a: reuse.TableDigest, b: reuse.TableDigest) -> Iterable[str]:
        return sorted(part for part in {*a.parts, *b.parts} if a.parts.get(part) != b.parts.get(part))

    shuffled = warehouse(tmp_path / "shuffled.duckdb", CHANGES["another order and a value"].removesuffix(OTHER_VALUE))
    swapped = warehouse(
        tmp_path / "swapped.duckdb",
        "update marts.indicator_values set sources = case sex when 'M' then 'a' else 'b' end where indicator = 'zoos'",
    )
    swapped_back = warehouse(
        tmp_path / "back.duckdb",
        "update marts.indicator_values set sources = case sex when 'M' then 'b' else 'a' end where indicator = 'zoos'",
    )
    assert differing(digests(first), digests(shuffled)) == []
    assert differing(digests(first), digests(second)) == ["jobs"]
    assert differing(digests(swapped), digests(swapped_back)) == ["zoos"]


class TestPartKeys:
    """The rows of an indicator with the same key as before are not read again: a key that does not tell the truth shows it."""

    @staticmethod
    def digest(source: Path, before: reuse.TableNote | None, keys: dict[str, str]) -> reuse.TableDigest:
        with duckdb.connect() as connection_:
            connection_.execute(f"attach '{source}' as warehouse (read_only)")
            mart = prepare_table.relation(connection_, "warehouse", derived_sample.VALUES)
            return prepare_table.digest(connection_, mart, derived_sample.VALUES, before, keys)

    def test_rows_under_the_same_key_are_not_read(self, first: Path, second: Path) -> None:
        keys = dict.fromkeys(("births", "deaths", "jobs", "zoos"), "1")
        before = reuse.TableNote(self.digest(first, None, {}), part_keys=keys)
        assert self.digest(second, before, keys) == before.digest  # though the rows of jobs differ
        assert self.digest(second, before, keys | {"jobs": "2"}) == self.digest(second, None, {})

    def test_an_indicator_that_had_no_rows_has_none_under_the_same_key(self, first: Path) -> None:
        before = reuse.TableNote(self.digest(first, None, {}), part_keys={"empty": "1"})
        assert self.digest(first, before, {"empty": "1"}) == before.digest

    def test_an_indicator_that_is_gone_has_no_digest(self, first: Path, tmp_path: Path) -> None:
        keys = dict.fromkeys(("births", "deaths", "jobs", "zoos"), "1")
        before = reuse.TableNote(self.digest(first, None, {}), part_keys=keys)
        without = warehouse(tmp_path / "without.duckdb", CHANGES["an indicator less"])
        del keys["deaths"]
        assert self.digest(without, before, keys) == self.digest(without, None, {})
