"""A release is published in one step or not at all, is reproducible, and is made only if something changed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import release_sample
from release_sample import INFO, RELEASED, TABLES, Home, contents, later

import exports
from exports import Column, Table
from exports.changes import published
from exports.formats import duckdb as duckdb_file
from exports.model import layout
from tests.support.copies import writable

pytestmark = pytest.mark.slow

SCRIPT = Path(release_sample.__file__)


def run_script(home: Home, how: str, what: str, warehouse: Path, day: int, **environment: str) -> subprocess.CompletedProcess[str]:
    repository = Path(exports.__file__).parents[1]
    return subprocess.run(
        [sys.executable, str(SCRIPT), how, what, str(warehouse), str(home.root), str(day)],
        env={**os.environ, "PYTHONPATH": str(repository), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def served(home: Home) -> str:
    """Return the version that a reader of latest.json gets, after verifying its folder."""
    latest = json.loads((home.public / "latest.json").read_bytes())
    assert exports.verify(home.public / latest["path"]) == []
    return str(latest["version"])


def public_state(home: Home) -> dict[str, Any]:
    """Return everything in `public` that must be reproducible."""
    releases = sorted((home.public / "releases").iterdir())
    files = {name: (home.public / name).read_text() for name in ("latest.json", "releases.json", "feed.atom")}
    return {
        "files": files,
        "link": (home.public / ".latest").readlink(),
        "releases": {folder.name: contents(folder) for folder in releases},
    }


class TestReleaseFiles:
    def test_has_files_of_contract(self, release: Path) -> None:
        tables = [*(t.name for t in TABLES), "changes"]
        whole = [table for table in tables if table != "indicator_values"]
        expected = {f"csv/{t}.csv" for t in whole} | {f"parquet/{t}.parquet" for t in tables} | {"csv/csv-metadata.json"}
        expected |= {"csv/indicator_values/share.csv", "csv/indicator_values/csv-metadata.json"}
        expected |= {
            "indicators.duckdb",
            "datapackage.json",
            "SHA256SUMS",
            "CHANGELOG.md",
            "CHANGELOG.cs.md",
            "README.md",
            "README.cs.md",
            "quality/report.json",
        }
        expected |= {"catalog.ttl", "catalog.jsonld", "schema-org.jsonld", "prov.ttl", "dqv.ttl", "CITATION.cff"}
        expected |= {"croissant.json", "index.html", "index.cs.html", "index.css", "pages.json"}
        paths = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file()}
        further = {"codelists/obs_status.csv", "codelists/sex.csv", "topics/women.csv"}
        assert paths - expected == further | {"codelists/csv-metadata.json", "topics/csv-metadata.json"} | {
            "provenance.json",
            "topics/women.parquet",
        }
        assert expected <= paths
        assert all((release / layout.metadata_path(path)).is_file() for path in paths if path.endswith(".csv"))

    def test_checksums_pass_sha256sum(self, release: Path) -> None:
        done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=release, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_contain_no_machine_names(self, release: Path, warehouse: Path) -> None:
        here = [str(release), str(warehouse.parent), str(Path.home()), os.uname().nodename]
        for path in (p for p in release.rglob("*") if p.is_file()):
            content = path.read_bytes()
            assert [word for word in here if len(word) > 3 and word.encode() in content] == [], path

    def test_state_nothing_about_duckdb_bytes(self, release: Path) -> None:
        database = (release / "indicators.duckdb").read_bytes()
        words = [hashlib.sha256(database).hexdigest().encode(), str(len(database)).encode()]
        for path in (p for p in release.rglob("*") if p.is_file() and p.name not in ("SHA256SUMS", "indicators.duckdb")):
            assert [word for word in words if word in path.read_bytes()] == [], path

    def test_are_read_only_and_verified(self, home: Home, warehouse: Path) -> None:
        folder = home.build(warehouse).path
        assert {oct(p.stat().st_mode & 0o777) for p in folder.rglob("*") if p.is_file()} == {"0o444"}
        assert {oct(p.stat().st_mode & 0o777) for p in (folder, *folder.rglob("*")) if p.is_dir()} == {"0o555"}
        for path in ("parquet/areas.parquet", "indicators.duckdb", "prov.ttl"):
            content = bytearray((folder / path).read_bytes())
            writable(folder)
            (folder / path).write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
            assert f"{path}: does not match its checksum in SHA256SUMS" in exports.verify(folder)
            (folder / path).write_bytes(content)
        assert exports.verify(folder) == []


class TestNewVersion:
    def test_is_not_made_without_changes(self, home: Home, warehouse: Path) -> None:
        first = home.build(warehouse)
        before = contents(first.path)
        again = home.build(warehouse, later(9), report={"gate": {"passed": True, "checks": 4}})
        assert (again.version, again.path, again.changed, again.tables) == (first.version, first.path, False, first.tables)
        assert contents(first.path) == before
        assert [e.version for e in exports.history(home.public)] == ["2026.11.1"]
        current = exports.current(home.public)
        assert current is not None
        assert current.inputs_key == "inputs-2"  # these inputs, too, are known to give this release

    @pytest.mark.parametrize(
        "change",
        [
            {"licence": "CC0-1.0"},
            {"title": {"en": "Another title"}},
            {"sources": [*INFO.sources[:1]]},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_is_made_for_changed_descriptor(self, home: Home, warehouse: Path, change: dict[str, Any]) -> None:
        home.build(warehouse)
        assert home.build(warehouse, replace(later(1), **change)).version == "2026.11.2"

    def test_is_made_when_null_becomes_empty_text(self, home: Home, warehouse: Path, tmp_path: Path) -> None:
        other = release_sample.warehouse(tmp_path / "other.duckdb", "update marts.areas set name = '' where name is null")
        home.build(warehouse)
        assert home.build(other, later(1)).changed

    def test_is_not_made_by_an_outage_alone(self, home: Home, tmp_path: Path) -> None:
        names = ("source", "rows_read", "rows_accepted", "rows_quarantined", "rows_ignored", "stale_since")
        columns = tuple(Column(n, "BIGINT" if n.startswith("rows") else "VARCHAR", f"About {n}") for n in names)
        tables = (*TABLES, Table("sources", "Sources.", columns, ("source",)))
        create = "create table marts.sources as select 'a' as source, 5 as rows_read, 5 as rows_accepted, 0 as rows_quarantined, 0 as rows_ignored"

        def of(name: str, rest: str) -> Path:
            return release_sample.warehouse(tmp_path / name, f"{create}, {rest} as stale_since")

        first = home.build(of("fresh.duckdb", "null::varchar"), tables=tables)
        assert not home.build(of("stale.duckdb", "'2026-11-01T00:00:00Z'"), later(1), tables).changed
        changed = release_sample.warehouse(
            tmp_path / "changed.duckdb", f"{create}, '2026-11-02T00:00:00Z' as stale_since", "update marts.areas set name = 'Brno'"
        )
        second = home.build(changed, later(2), tables)
        assert (first.version, second.version, second.changed) == ("2026.11.1", "2026.11.2", True)
        assert "2026-11-02T00:00:00Z" in (second.path / "csv" / "sources.csv").read_text(), "it is published"
        recovered = release_sample.warehouse(
            tmp_path / "recovered.duckdb", f"{create}, null::varchar as stale_since", "update marts.areas set name = 'Brno'"
        )
        assert not home.build(recovered, later(3), tables).changed
        assert served(home) == "2026.11.2"

    def test_counts_within_month(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        assert home.build(warehouse).version == "2026.11.1"
        assert home.build(changed_warehouse, later(1)).version == "2026.11.2"
        december = replace(INFO, released=RELEASED.replace(month=12))
        assert home.build(warehouse, december).version == "2026.12.1"
        assert [e.version for e in exports.history(home.public)] == ["2026.11.1", "2026.11.2", "2026.12.1"]
        assert served(home) == "2026.12.1"

    def test_uses_month_in_utc(self, home: Home, warehouse: Path) -> None:
        from datetime import datetime, timedelta, timezone

        new_year = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
        assert home.build(warehouse, replace(INFO, released=new_year)).version == "2026.12.1"

    def test_leaves_earlier_release_unchanged(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        first = home.build(warehouse)
        before = contents(first.path) | {"db": (first.path / "indicators.duckdb").read_bytes()}
        home.build(changed_warehouse, later(1))
        assert contents(first.path) | {"db": (first.path / "indicators.duckdb").read_bytes()} == before

    def test_is_made_when_current_release_is_damaged(self, home: Home, warehouse: Path) -> None:
        first = home.build(warehouse)
        (writable(first.path) / "csv" / "areas.csv").write_text("gone")
        assert home.build(warehouse, later(1)).version == "2026.11.2"
        assert served(home) == "2026.11.2"


KILLED_BEFORE_PUBLICATION = [
    "before exports.formats.csv.append 1",
    "after exports.formats.csv.append 3",
    "after exports.model.reuse._link 6",
    "after exports.formats.duckdb.write 1",
    "before exports.model.checksums.write 1",
    "after exports.release.transaction.verify 1",
    "after exports.release.transaction._seal 1",
    "before os.replace 1",
    "after os.replace 1",
    "before os.rename 1",
    "after os.rename 1",
    "before os.replace 2",
]
# in this order: the announcement, latest.json, the link, the ledger, the feed
KILLED_AFTER_PUBLICATION = ["after os.replace 2", *(f"{when} os.replace {n}" for n in (3, 4, 5) for when in ("before", "after"))]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, warehouse: Path, changed_warehouse: Path) -> dict[str, Any]:
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    home.build(warehouse)
    home.build(changed_warehouse, later(2))
    return public_state(home)


class TestInterruptedFirstBuild:
    @pytest.mark.parametrize("step", ["after exports.formats.csv.append 3", "after os.rename 1"])
    def test_serves_nothing_after_killed_first_build(self, home: Home, warehouse: Path, step: str) -> None:
        assert run_script(home, "die", step, warehouse, 0).returncode == -9
        assert not (home.public / "latest.json").exists()
        assert exports.current(home.public) is None
        assert exports.history(home.public) == []
        assert home.build(warehouse).version == "2026.11.1"
        assert served(home) == "2026.11.1"


class TestInterruptedBuild:
    @pytest.fixture
    def home(self, home_with_release: Home) -> Home:
        return home_with_release

    @pytest.mark.parametrize("step", KILLED_BEFORE_PUBLICATION + KILLED_AFTER_PUBLICATION)
    def test_recovers_after_kill(
        self, home: Home, warehouse: Path, changed_warehouse: Path, undisturbed: dict[str, Any], step: str
    ) -> None:
        before = (home.public / "feed.atom").read_text()
        assert run_script(home, "die", step, changed_warehouse, 2).returncode == -9
        published = step in KILLED_AFTER_PUBLICATION
        assert served(home) == ("2026.11.2" if published else "2026.11.1")
        current = exports.current(home.public)
        assert current is not None
        assert current.version == ("2026.11.2" if published else "2026.11.1")
        feed = (home.public / "feed.atom").read_text()
        fresh = undisturbed["files"]["feed.atom"]
        assert feed == (fresh if step == "after os.replace 5" else before), "the old one or the new one, never another"
        assert before != fresh
        assert home.build(changed_warehouse, later(2)).version == "2026.11.2"
        assert public_state(home) == undisturbed
        assert home.unfinished() == []

    def test_removes_leftovers_of_killed_build(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        home.build(changed_warehouse, later(1))
        half = home.public / "releases" / "2026.11.3"
        half.mkdir()
        (half / "README.md").write_text("half")
        note = home.public / "releases" / "notes-of-an-operator"
        note.mkdir()
        (home.staging / "publication" / "release").mkdir(parents=True)
        assert home.build(warehouse, later(2)).version == "2026.11.3"
        assert sorted(p.name for p in half.parent.iterdir()) == ["2026.11.1", "2026.11.2", "2026.11.3", note.name]
        assert served(home) == "2026.11.3"

    @pytest.mark.parametrize("limit", [100, 5_000, 30_000, 300_000])
    def test_keeps_release_when_disk_is_full(self, home: Home, warehouse: Path, changed_warehouse: Path, limit: int) -> None:
        before = public_state(home)
        done = run_script(home, "starve", str(limit), changed_warehouse, 2)
        assert done.returncode == 1, done
        assert "the current release is unchanged" in done.stderr
        assert public_state(home) == before
        assert home.unfinished() == []
        assert home.build(changed_warehouse, later(2)).version == "2026.11.2"

    @pytest.mark.parametrize(("name", "call"), [("replace", 1), ("rename", 1), ("replace", 2), ("replace", 3), ("replace", 5)])
    def test_keeps_release_when_rename_fails(
        self, home: Home, warehouse: Path, changed_warehouse: Path, monkeypatch: pytest.MonkeyPatch, name: str, call: int
    ) -> None:
        original, calls = getattr(os, name), [0]

        def failing(*args: Any) -> None:
            calls[0] += 1
            if calls[0] == call:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            original(*args)

        with monkeypatch.context() as patch:
            patch.setattr(os, name, failing)
            with pytest.raises(exports.ReleaseError, match="No space left on device"):
                home.build(changed_warehouse, later(2))
        assert served(home) == ("2026.11.2" if (name, call) > ("replace", 2) else "2026.11.1")
        assert home.build(changed_warehouse, later(2)).version == "2026.11.2"
        assert "2026.11.2" in (home.public / "feed.atom").read_text()


class TestTableFiles:
    def test_duckdb_has_comments_and_old_storage_version(self, release: Path) -> None:
        with duckdb.connect(str(release / "indicators.duckdb"), read_only=True) as connection:
            tables = dict(connection.execute("select table_name, comment from duckdb_tables()").fetchall())
            columns = connection.execute(
                "select table_name, column_name, data_type, comment from duckdb_columns() where not internal"
            ).fetchall()
            tags = connection.execute("select tags from duckdb_databases() where not internal").fetchall()
        assert tables["areas"] == "Areas | and their names. Key: ref_area."
        everything = (*TABLES, published.TABLE)
        assert set(tables) == {table.name for table in everything}
        expected = {
            (t.name, c.name, c.type, c.description + (f" Unit: {c.unit}." if c.unit else "")) for t in everything for c in t.columns
        }
        expected |= {(view.name, c.name, c.type, c.description) for view in published.VIEWS for c in view.columns}
        assert set(columns) == expected
        assert tags[0][0]["storage_version"].startswith("v1.3.0")

    def test_a_table_with_many_columns_is_described_as_a_whole(self, home: Home, warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(duckdb_file, "MOST_COMMENTED", 4)
        release = home.build(warehouse, INFO, TABLES).path
        with duckdb.connect(str(release / "indicators.duckdb"), read_only=True) as connection:
            table, columns = connection.execute(
                "select any_value(t.comment), count(c.comment) from duckdb_tables() t join duckdb_columns() c using (table_name) "
                "where table_name = 'indicator_values'"
            ).fetchall()[0]
        assert table.endswith(f"Key: indicator, ref_area, time_period. {duckdb_file.NO_COMMENTS}")
        assert columns == 0
        assert exports.verify(release) == []

    def test_empty_parquet_has_no_row_group(self, release: Path) -> None:
        assert (release / "csv/peers.csv").read_text() == "ref_area,position,peer,distance\n"
        assert pq.read_metadata(release / "parquet/peers.parquet").num_row_groups == 0

    def test_parquet_is_sorted_described_and_indexed(self, release: Path) -> None:
        file = pq.ParquetFile(release / "parquet/indicator_values.parquet")
        group = file.metadata.row_group(0)
        assert [column.column_index for column in group.sorting_columns] == [0, 1, 2]
        assert all(group.column(i).has_column_index and group.column(i).is_stats_set for i in range(group.num_columns))
        assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}
        assert [str(t) for t in file.schema_arrow.types] == ["string", "string", "string", "double", "string", "double"]
        described = {k.decode(): v.decode() for k, v in file.metadata.metadata.items()}
        assert described["table"] == "indicator_values"
        assert json.loads(described["primary_key"]) == ["indicator", "ref_area", "time_period"]
        assert json.loads(described["columns"])["coverage"] == {"description": "About coverage", "unit": "persons"}


class TestBuild:
    def test_publishes_first_release(self, home: Home, warehouse: Path) -> None:
        release = home.build(warehouse)
        assert (release.version, release.changed) == ("2026.11.1", True)
        assert release.path == home.public / "releases" / "2026.11.1"
        rows = {"areas": 4, "area_parents": 3, "indicators": 2, "indicator_values": 1200, "latest_values": 4, "peers": 0}
        assert release.tables == {**rows, "changes": 0}
        latest = json.loads((home.public / "latest.json").read_bytes())
        assert latest == {"version": "2026.11.1", "released": "2026-11-03T08:30:00Z", "path": "releases/2026.11.1/"}
        assert exports.verify(release.path) == []
        assert home.unfinished() == []
        names = {p.name for p in home.public.iterdir()}
        pages = {"datasets", "index.css", "index.cs.html", "index.html", "latest"}
        assert names == {".latest", "feed.atom", "latest.json", "releases", "releases.json", *pages}
        assert (home.public / ".latest").resolve() == release.path / "SHA256SUMS"

    def test_is_reproducible(self, tmp_path: Path, warehouse: Path) -> None:
        states = []
        for name, threads in (("one", "1"), ("a longer name", "3")):
            home = Home(tmp_path / name)
            done = run_script(home, "plain", "-", warehouse, 0, POLARS_MAX_THREADS=threads, OMP_NUM_THREADS=threads, TZ=f"UTC+{threads}")
            assert done.returncode == 0, done.stderr
            states.append(public_state(home))
        assert states[0] == states[1]

    def test_does_not_publish_after_failed_verification(
        self, home: Home, warehouse: Path, changed_warehouse: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home.build(warehouse)
        monkeypatch.setattr("exports.release.transaction.verify", lambda *_: ["csv/areas.csv: a fault"])
        with pytest.raises(exports.ReleaseError, match=r"csv/areas\.csv: a fault"):
            home.build(changed_warehouse, later(1))
        assert served(home) == "2026.11.1"

    def test_fails_without_ledger(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        first = home.build(warehouse)
        (home.public / "releases.json").unlink()
        with pytest.raises(exports.ReleaseError, match=r"does not know the current release 2026\.11\.1"):
            home.build(changed_warehouse, later(1))
        assert exports.verify(first.path) == []

    def test_keeps_annotations_of_others(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        home.build(warehouse)
        path = home.public / "releases.json"
        ledger = json.loads(path.read_bytes())
        ledger["releases"][0]["pinned"] = "for a paper"
        path.write_text(json.dumps(ledger))
        home.build(changed_warehouse, later(1))
        assert json.loads(path.read_bytes())["releases"][0]["pinned"] == "for a paper"

    def test_works_while_reader_has_release_open(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        first = home.build(warehouse)
        with duckdb.connect(str(first.path / "indicators.duckdb"), read_only=True) as connection:
            second = home.build(changed_warehouse, later(1))
            assert connection.execute("select count(*) from areas").fetchall() == [(4,)]
        assert second.tables["areas"] == 5

    def test_reports_progress(self, home: Home, warehouse: Path) -> None:
        messages: list[str] = []
        home.build(warehouse, on_progress=messages.append)
        assert messages[0] == "areas: 4 rows"
        assert messages[-1] == "publishing 2026.11.1"
