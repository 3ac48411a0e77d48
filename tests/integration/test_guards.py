"""Snapshots that could be read and are refused all the same: half deliveries, lost columns, too much in quarantine; and `zpo2 accept`."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.backlog import drain
from pipelines.extract.source_state import SourceStates, unprocessed_sources
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport
from pipelines.lake.store import Lake
from pipelines.notify import alerts, incidents
from pipelines.packs.workspace import Workspace
from pipelines.runs import repair
from pipelines.runs.findings import IngestFindings
from pipelines.runs.outcome import inputs_key
from pipelines.runs.vintage import workspace_at
from tests.support import five_places
from tests.support.command import zpo2

HEAD = "publisher: Office\nlicence: CC0-1.0\n"
CLUBS = f"""\
id: clubs
title: Clubs
{HEAD}theme: municipal
fetch: {{url: data/clubs.csv}}
read: {{format: csv}}
columns: {{n: {{required: true}}, code: {{}}, kind: {{}}}}
into: register
map: {{register: "'clubs'", id: n, area: {{ref_area: code}}, valid_from: "date '2020-01-01'", where: "kind = 'club'"}}
"""
FEASTS = f"""\
id: feasts
title: Feasts
{HEAD}theme: events
fetch: {{url: data/feasts.csv}}
read: {{format: csv}}
columns: {{n: {{}}, day: {{type: date}}, code: {{}}}}
into: events
map: {{id: n, title: n, start: day, area: {{ref_area: code}}}}
"""
AREA = ("a1", "a2", "a3", "a4", "a5")


def people(count: int, value: str = "{}", code: str = "{}", sex: str = "M") -> str:
    """Return `count` rows of people, several years of age apart so that cells differ."""
    lines = [f"{code.format(AREA[n % 5])},{sex},{value.format(n + 1)}" for n in range(count)]
    return "\n".join(["code,sex,persons", *lines]) + "\n"


def clubs(count: int, kind: str = "club") -> str:
    return "n,code,kind\n" + "".join(f"{n},{AREA[n % 5]},{kind}\n" for n in range(count))


def mixed(count: int, kind: str, first: int = 20) -> str:
    """Return further rows of clubs, without a header."""
    return "".join(f"{first + n},{AREA[n % 5]},{kind}\n" for n in range(count))


def feasts(count: int) -> str:
    return "n,day,code\n" + "".join(f"{n},2026-01-{n % 28 + 1:02},{AREA[n % 5]}\n" for n in range(count))


COUNT = """\
id: unions
title: Unions
from: register
where: kind = 'union'
measures: {unions: count(*)}
"""
WITH_KIND = CLUBS.replace("where: \"kind = 'club'\"", "attributes: {kind: kind}")
SUMMED = five_places.PEOPLE.replace("population: persons", "population: {value: persons, aggregate: sum}")


class Place:
    """A pack with people, clubs and feasts, and its home."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.folder = folder
        self.now = 1_760_000_000
        files = {"sources__people_yml": SUMMED, "sources__clubs_yml": CLUBS, "sources__feasts_yml": FEASTS, "data__clubs_csv": clubs(20),
                 "data__feasts_csv": feasts(20), "data__people_2020_csv": people(20), "data__people_2021_csv": people(20)}  # fmt: skip
        five_places.write(folder / "pack", **files | changes)

    @property
    def workspace(self) -> Workspace:
        home = WorkspaceFolder(self.folder / "home").root
        workspace = Workspace(home, Settings(SOURCE_DATE_EPOCH=self.now), pack=packs.load(self.folder / "pack"))
        workspace.open()
        return workspace

    def write(self, name: str, text: str) -> None:
        (self.folder / "pack" / name).write_text(text, encoding="utf-8")

    def run(self) -> dict[str, SourceReport]:
        """Fetch and process everything."""
        workspace = self.workspace
        fetch_sources(workspace)
        return Ingest(workspace).run()

    def accept(self, source: str) -> list[str]:
        states = SourceStates(self.workspace.fetch_state)
        parts = states.accept(source, "checked", self.workspace.settings.now())
        states.save()
        return parts


LOSSES = {
    "observations": ("people", "data/people_2021.csv", people(20), people(9), people(10), "year=2021", "9 rows after 20, a loss of 55%"),
    "register": ("clubs", "data/clubs.csv", clubs(20), clubs(13), clubs(14), "", "13 rows after 20, a loss of 35%"),
    "counted entries": (
        "clubs", "data/clubs.csv", clubs(20), clubs(10) + clubs(10, "union").split("\n", 1)[1], clubs(14) + "20,a1,union\n", "",
        "10 accepted rows after 20, a loss of 50%",
    ),
    "areas": (
        "areas", "data/areas.csv", five_places.AREAS_CSV, "\n".join(five_places.AREAS_CSV.splitlines()[:7]),
        five_places.AREAS_CSV + "a6,Fir,lau,R2,O2,\n",
        "", "6 rows after 10, a loss of 40%",
    ),
}  # fmt: skip


class TestLoss:
    @pytest.mark.parametrize("kind", LOSSES)
    def test_keeps_the_last_good_snapshot(self, tmp_path: Path, kind: str) -> None:
        source, file, _, too_few, enough, part, reason = LOSSES[kind]
        place = Place(tmp_path)
        before = place.run()
        assert {name: r.errors for name, r in before.items() if r.errors} == {}
        place.write(file, too_few)
        for _ in range(2):  # the refused content does not become the last good one
            reports = place.run()
            assert reason in reports[source].errors[part]
            assert reports[source].stale_since is not None
            assert reports[source].parts[part] == before[source].parts[part]
            assert {name for name, r in reports.items() if r.errors} == {source}
        place.write(file, enough)
        assert place.run()[source].errors == {}

    def test_raises_an_alert_with_the_reason(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/clubs.csv", clubs(3))
        place.run()
        assert incidents.enqueue(place.workspace) == ["clubs"]
        [alert] = alerts.waiting(place.workspace)
        data = json.loads(alert.read_text())["data"]
        assert "3 rows after 20, a loss of 85%" in data["text"]
        assert "accept clubs --reason" in data["next"]

    @pytest.mark.parametrize(("before", "after", "limit", "is_refused"), [
        (3, 2, None, False), (1, 0, None, True), (6, 4, None, True), (3, 2, 0.1, False), (20, 19, 0, True),
    ])  # fmt: skip
    def test_of_a_single_row_never_counts(self, tmp_path: Path, before: int, after: int, limit: float | None, is_refused: bool) -> None:
        declared = CLUBS if limit is None else CLUBS.replace("clubs.csv}", f"clubs.csv, expect: {{rows_change: {limit}}}}}")
        place = Place(tmp_path, sources__clubs_yml=declared, data__clubs_csv=clubs(before))
        place.run()
        place.write("data/clubs.csv", clubs(after))
        assert bool(place.run()["clubs"].errors) is is_refused

    @pytest.mark.parametrize(("empty", "read", "is_refused"), [(11, True, True), (10, True, False), (11, False, False)])
    def test_of_values_of_a_measure_counts_where_an_indicator_reads_it(
        self, tmp_path: Path, empty: int, read: bool, is_refused: bool
    ) -> None:
        unread = SUMMED.replace("id: people", "id: other").replace("population:", "others:")
        place = Place(tmp_path, sources__other_yml=unread)
        place.run()
        place.write("data/people_2021.csv", people(20 - empty) + people(empty, "").split("\n", 1)[1])
        report = place.run()["people" if read else "other"]
        assert list(report.errors) == (["year=2021"] if is_refused else [])
        assert ("9 values of population after 20, a loss of 55%" in str(report.errors)) is is_refused

    def test_of_entries_that_a_count_selects_counts(self, tmp_path: Path) -> None:
        place = Place(
            tmp_path, sources__clubs_yml=WITH_KIND, sources__unions_yml=COUNT, data__clubs_csv=clubs(20) + mixed(20, "union"),
        )  # fmt: skip
        before = place.run()
        place.write("data/clubs.csv", clubs(33) + mixed(7, "union", 33))
        for _ in range(2):
            reports = place.run()
            assert "7 entries for the count unions after 20, a loss of 65%" in reports["clubs"].errors[""]
            assert reports["unions"].parts == before["unions"].parts
        assert place.accept("clubs") == [""]
        assert place.run()["clubs"].errors == {}
        place.write("data/clubs.csv", clubs(40))
        assert "0 entries for the count unions after 7" in place.run()["clubs"].errors[""]
        place.write("sources/unions.yml", COUNT.replace("'union'", "'league'"))
        assert place.run()["clubs"].errors == {}  # another condition has no number to compare with

    def test_of_a_few_values_counts_for_nothing(self, tmp_path: Path) -> None:
        place = Place(tmp_path, data__people_2021_csv=people(5))
        place.run()
        place.write("data/people_2021.csv", people(1) + people(4, "").split("\n", 1)[1])
        assert place.run()["people"].errors == {}

    def test_counts_for_no_window(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/feasts.csv", feasts(2))
        assert place.run()["feasts"].errors == {}

    def test_counts_for_events_that_are_complete(self, tmp_path: Path) -> None:
        place = Place(tmp_path, sources__feasts_yml=FEASTS + "snapshot: complete\n")
        place.run()
        place.write("data/feasts.csv", feasts(2))
        assert "2 rows after 20" in place.run()["feasts"].errors[""]

    def test_is_measured_by_the_declared_limit(self, tmp_path: Path) -> None:
        place = Place(tmp_path, sources__clubs_yml=CLUBS.replace("clubs.csv}", "clubs.csv, expect: {rows_change: 0.9}}"))
        place.run()
        place.write("data/clubs.csv", clubs(3))
        assert place.run()["clubs"].errors == {}
        place.write("data/clubs.csv", clubs(0))
        assert "0 rows after 3, a loss of 100%; the limit is 90%" in place.run()["clubs"].errors[""]

    def test_does_not_count_ignored_rows(self, tmp_path: Path) -> None:
        ignoring = CLUBS.replace("format: csv}", "format: csv, ignore: \"kind = 'note'\"}")
        place = Place(tmp_path, sources__clubs_yml=ignoring, data__clubs_csv=clubs(10) + clubs(90, "note").split("\n", 1)[1])
        place.run()
        place.write("data/clubs.csv", clubs(10))
        assert place.run()["clubs"].errors == {}


class TestAcceptance:
    def test_takes_the_refused_content(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/clubs.csv", clubs(3))
        place.run()
        key = inputs_key(place.workspace)
        assert unprocessed_sources(place.workspace.pack, SourceStates(place.workspace.fetch_state)) == {}
        assert place.accept("people") == []
        assert place.accept("clubs") == [""]
        assert inputs_key(place.workspace) != key  # the next run does not take itself for unchanged
        assert list(unprocessed_sources(place.workspace.pack, SourceStates(place.workspace.fetch_state))) == ["clubs"]
        for _ in range(2):
            report = place.run()["clubs"]
            assert (report.errors, report.accepted, report.stale_since) == ({}, 3, None)
            assert "the content was accepted: checked" in report.warnings
        assert place.accept("clubs") == []
        place.write("data/clubs.csv", clubs(1))  # the acceptance is for that content alone
        assert "1 rows after 3" in place.run()["clubs"].errors[""]

    def test_is_enough_without_another_fetch(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/clubs.csv", clubs(3))
        place.run()
        place.accept("clubs")
        report = Ingest(place.workspace).run()["clubs"]  # as the daemon's run does
        assert (report.errors, report.accepted, report.stale_since) == ({}, 3, None)
        assert SourceStates(place.workspace.fetch_state).get("clubs", "").faults == []

    def test_of_a_dropped_file_ends_the_staleness(self, tmp_path: Path) -> None:
        place = Place(tmp_path, sources__clubs_yml=CLUBS.replace("{url: data/clubs.csv}", "{inbox: true}"))
        for count in (20, 3):
            file = place.workspace.inbox / "clubs" / "clubs.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(clubs(count))
            os.utime(file, (1, 1))
            drain(place.workspace)
            report = place.run()["clubs"]
        assert "3 rows after 20" in report.errors[""]
        place.accept("clubs")
        report = place.run()["clubs"]
        assert (report.errors, report.accepted, report.stale_since) == ({}, 3, None)

    def test_of_content_that_was_good_before_is_work_for_a_run(self, tmp_path: Path) -> None:
        place = Place(tmp_path, data__clubs_csv=clubs(20) + "20,x,club\n")
        place.run()
        place.write("sources/clubs.yml", CLUBS + "max_quarantined: 0\n")
        assert "1 of 21 rows are refused" in place.run()["clubs"].errors[""]
        assert place.accept("clubs") == [""]
        assert list(unprocessed_sources(place.workspace.pack, SourceStates(place.workspace.fetch_state))) == ["clubs"]
        assert Ingest(place.workspace).run()["clubs"].errors == {}
        assert unprocessed_sources(place.workspace.pack, SourceStates(place.workspace.fetch_state)) == {}

    @pytest.mark.slow
    def test_is_given_by_a_command(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/clubs.csv", clubs(3))
        place.run()
        where = ("--pack", place.folder / "pack", "--home", place.folder / "home")
        done = zpo2("accept", "clubs", "--reason", "the register was cleaned up", *where)
        assert done.returncode == 0, done.stderr
        assert "accepted, although data/clubs.csv: 3 rows after 20" in done.stdout
        assert '"reason": "the register was cleaned up"' in place.workspace.log.read_text()
        assert place.run()["clubs"].accepted == 3
        assert "no refused content to accept" in zpo2("accept", "clubs", "--reason", "again", *where).stdout
        assert zpo2("accept", "nothing", "--reason", "x", *where).returncode == 2


class TestRefusal:
    def test_ends_when_the_pack_is_corrected(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/clubs.csv", clubs(3))
        place.run()
        place.write("sources/clubs.yml", CLUBS.replace("clubs.csv}", "clubs.csv, expect: {rows_change: 0.9}}"))
        report = Ingest(place.workspace).run()["clubs"]
        assert (report.errors, report.accepted, report.stale_since) == ({}, 3, None)

    def test_stands_beside_the_error_of_the_fetch(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/clubs.csv", clubs(3))
        place.run()
        (place.folder / "pack" / "data" / "clubs.csv").unlink()
        report = place.run()["clubs"]
        assert "3 rows after 20" in report.errors[""]
        state = SourceStates(place.workspace.fetch_state).get("clubs", "")
        assert (state.error or "no error") in report.errors[""]
        assert "3 rows after 20" in (state.refusal or "")

    @pytest.mark.parametrize(("failures", "error", "refusal"), [(0, None, "3 rows after 20"), (2, "3 rows after 20", None)])
    def test_is_recognised_in_files_of_earlier_versions(
        self, tmp_path: Path, failures: int, error: str | None, refusal: str | None
    ) -> None:
        path = tmp_path / "fetches.json"
        path.write_text(json.dumps({"clubs": {"": {"sha256": "a", "error": "3 rows after 20", "failures": failures}}}))
        state = SourceStates(path).get("clubs", "")
        assert (state.error, state.refusal) == (error, refusal)


class TestUnknownCounts:
    """What the last good snapshot held comes from its receipt where the state does not know it."""

    @pytest.mark.parametrize("declared", [CLUBS, CLUBS.replace("{required: true}", "{}")])
    def test_of_an_earlier_version(self, tmp_path: Path, declared: str) -> None:
        place = Place(tmp_path)
        place.run()
        states = SourceStates(place.workspace.fetch_state)
        states.put("clubs", "", replace(states.get("clubs", ""), rows=None, accepted_rows=None, shape={}))
        states.save()
        place.write("sources/clubs.yml", declared)
        place.write("data/clubs.csv", clubs(3))
        assert "3 rows after 20" in place.run()["clubs"].errors[""]

    def test_after_a_repair(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        good = place.run()["clubs"].parts
        place.now += 60
        place.write("data/clubs.csv", clubs(3))
        place.run()
        place.workspace.fetch_state.write_text("{")
        repair.repair(place.workspace)
        report = Ingest(place.workspace).run()["clubs"]
        assert "3 rows after 20" in report.errors[""]
        assert report.parts == good

    def test_in_a_vintage(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        good = place.run()["clubs"].parts
        place.now += 60
        place.write("data/clubs.csv", clubs(3))
        place.run()
        for _ in range(2):
            with workspace_at(place.workspace, "2030-01-01T00:00:00Z") as past:
                report = Ingest(past).run()["clubs"]
            if place.accept("clubs"):
                assert "3 rows after 20" in report.errors[""]
                assert report.parts == good
        assert (report.errors, report.accepted) == ({}, 3)


class TestColumns:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ("code,sex,inhabitants", "the map uses persons, but column persons is now inhabitants"),
            ("code,sex", "but column persons is gone"),
        ],
    )
    def test_used_by_the_map_are_not_lost(self, tmp_path: Path, change: str, reason: str) -> None:
        place = Place(tmp_path)
        before = place.run()
        place.write("data/people_2021.csv", people(20).replace("code,sex,persons", change))
        report = place.run()["people"]
        assert reason in report.errors["year=2021"]
        assert report.parts["year=2021"] == before["people"].parts["year=2021"]
        assert place.accept("people") == ["year=2021"]

    def test_that_the_map_does_not_use_may_be_lost(self, tmp_path: Path) -> None:
        place = Place(tmp_path, data__clubs_csv=clubs(20).replace("\n", ",\n").replace("kind,", "kind,note"))
        place.run()
        place.write("data/clubs.csv", clubs(20))
        report = place.run()["clubs"]
        assert (report.errors, report.drift) == ({}, {"": "column note is gone"})

    def test_of_a_new_part_are_those_of_the_others(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("sources/people.yml", SUMMED.replace("[2020, 2021]", "[2020, 2021, 2022]"))
        place.write("data/people_2022.csv", people(20).replace("persons", "inhabitants"))
        report = place.run()["people"]
        assert "the map uses persons, but the file has no such column" in report.errors["year=2022"]
        assert sorted(report.parts) == ["year=2020", "year=2021"]

    def test_are_in_the_first_snapshot(self, tmp_path: Path) -> None:
        skipped = CLUBS.replace("format: csv", "format: csv, skip_rows: 1").replace("n: {required: true}", "n: {}")
        report = Place(tmp_path, sources__clubs_yml=skipped).run()["clubs"]
        assert report.down
        assert "the map uses it" in report.errors[""]

    def test_are_not_compared_with_keys_that_were_mostly_absent(self, tmp_path: Path) -> None:
        declared = CLUBS.replace("clubs.csv", "clubs.json").replace("csv}", "json}").replace("kind: {}", "kind: {}, until: {}")
        declared = declared.replace("\"kind = 'club'\"}", "\"kind = 'club'\", status: until}")
        records = [{"n": n, "code": "a1", "kind": "club"} for n in range(10)]
        place = Place(tmp_path, sources__clubs_yml=declared, data__clubs_json=json.dumps([*records[1:], {**records[0], "until": "x"}]))
        place.run()
        place.write("data/clubs.json", json.dumps(records))
        assert place.run()["clubs"].errors == {}
        place.write("data/clubs.json", json.dumps(records).replace("code", "town"))
        assert "the map uses code" in place.run()["clubs"].errors[""]


EMPTY = {
    "a condition that selects nothing": {"sources__clubs_yml": CLUBS.replace("kind = 'club'", "kind = 'Club'")},
    "an inverted ignore": {"sources__clubs_yml": CLUBS.replace("format: csv}", "format: csv, ignore: \"code <> 'Total'\"}")},
    "both": {
        "sources__clubs_yml": CLUBS.replace("format: csv}", "format: csv, ignore: \"kind = 'club'\"}"),
        "data__clubs_csv": clubs(10) + clubs(5, "union").split("\n", 1)[1],
    },
    "observations": {"sources__people_yml": SUMMED.replace("code = 'Total'", "code <> 'Total'")},
    "areas": {"sources__areas_yml": five_places.AREAS.replace("format: csv}", "format: csv, ignore: \"code <> 'x'\"}")},
}  # fmt: skip


class TestEmptyList:
    @pytest.mark.parametrize("fault", EMPTY)
    def test_with_rows_is_refused(self, tmp_path: Path, fault: str) -> None:
        place = Place(tmp_path, **EMPTY[fault])
        source = {"observations": "people", "areas": "areas"}.get(fault, "clubs")
        report = place.run()[source]
        assert "rows is used: left out are " in "; ".join(report.errors.values())
        assert report.down
        assert place.accept(source)
        report = place.run()[source]
        assert (report.errors, report.down, report.accepted) == ({}, False, 0)

    def test_of_events_or_without_rows_is_used(self, tmp_path: Path) -> None:
        ignoring = FEASTS.replace("format: csv}", "format: csv, ignore: \"code <> 'x'\"}")
        reports = Place(tmp_path, sources__feasts_yml=ignoring, data__clubs_csv=clubs(0)).run()
        assert (reports["feasts"].errors, reports["clubs"].errors) == ({}, {})

    def test_of_one_part_is_used(self, tmp_path: Path) -> None:
        report = Place(tmp_path, data__people_2021_csv="code,sex,persons\nTotal,,1\n").run()["people"]
        assert report.errors == {}
        assert sorted(report.parts) == ["year=2020", "year=2021"]


REFUSED = {
    "a forgotten decimal mark": ({"data__people_2021_csv": people(20, '"{},5"')}, "20 of 20 cells of population are refused"),
    "a forgotten thousands mark": ({"data__people_2021_csv": people(20, "1 00{}")}, "20 of 20 cells of population are refused"),
    "codes without leading zeros": ({"data__people_2021_csv": people(20, code="0{}")}, "20 of 20 rows are refused"),
    "a bad period": ({"sources__people_yml": SUMMED.replace("period: year", "period: \"'of ' || year\"")}, "20 of 20 rows are refused"),
    "all of a few rows": ({"data__people_2020_csv": people(1, code="x"), "data__people_2021_csv": people(2, code="x")}, "2 of 2 rows"),
    "a missing aggregate": ({"sources__people_yml": five_places.PEOPLE}, "20 of 20 rows are refused"),
    "a register of unknown areas": ({"data__clubs_csv": clubs(20).replace(",a", ",b")}, "20 of 20 rows are refused"),
}  # fmt: skip


class TestQuarantine:
    @pytest.mark.parametrize("fault", REFUSED)
    def test_of_a_first_snapshot_makes_the_source_one_that_never_came(self, tmp_path: Path, fault: str) -> None:
        changes, reason = REFUSED[fault]
        place = Place(tmp_path, **changes)
        reports = place.run()
        source = "clubs" if "register" in fault else "people"
        assert reason in "; ".join(reports[source].errors.values())
        assert reports[source].down
        findings = IngestFindings()
        findings.add(reports[source], place.workspace.pack)
        assert findings.never == [source]
        assert not [name for name, r in reports.items() if r.errors and name != source]
        written = place.workspace.lake / "quarantine" / source
        assert list(written.rglob("*.parquet")), "the refused rows can still be looked at"

    def test_of_a_new_snapshot_keeps_the_last_good_one(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        before = place.run()
        place.write("data/people_2021.csv", people(20, '"{},5"'))
        report = place.run()["people"]
        assert "20 of 20 cells of population are refused" in report.errors["year=2021"]
        assert "row 2, persons: not an integer" in report.errors["year=2021"]
        assert report.parts == before["people"].parts
        place.write("data/people_2021.csv", people(20))
        assert place.run()["people"].errors == {}

    @pytest.mark.parametrize(
        ("good", "bad", "is_refused"), [(16, 4, False), (20, 5, False), (15, 5, True), (4, 4, False), (0, 2, True), (0, 1, False)]
    )
    def test_may_be_a_fifth_of_a_first_part_or_fewer_than_five(self, tmp_path: Path, good: int, bad: int, is_refused: bool) -> None:
        place = Place(tmp_path, data__people_2021_csv=people(good) + people(bad, code="x").split("\n", 1)[1])
        report = place.run()["people"]
        assert list(report.errors) == (["year=2021"] if is_refused else [])  # the source has 20 good rows more
        assert sorted(report.parts) == (["year=2020"] if is_refused else ["year=2020", "year=2021"])

    def test_of_all_cells_of_a_new_part_refuses_that_part(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("sources/people.yml", SUMMED.replace("[2020, 2021]", "[2020, 2021, 2022]"))
        place.write("data/people_2022.csv", people(3, '"{},5"'))
        report = place.run()["people"]
        assert "3 of 3 cells of population are refused" in report.errors["year=2022"]
        assert sorted(report.parts) == ["year=2020", "year=2021"]
        assert report.down
        assert place.accept("people") == ["year=2022"]

    def test_of_all_rows_of_a_good_part_is_judged_when_the_declaration_has_changed(self, tmp_path: Path) -> None:
        place = Place(tmp_path, data__people_2021_csv=people(4))
        place.run()
        place.write("sources/people.yml", SUMMED.replace(", code: code", ", code: \"case year when 2021 then 'x' else code end\""))
        assert "4 of 4 rows are refused" in place.run()["people"].errors["year=2021"]

    def test_of_a_measure_that_no_indicator_reads_counts_for_nothing(self, tmp_path: Path) -> None:
        unread = SUMMED.replace("id: people", "id: other").replace("population:", "others:")
        place = Place(
            tmp_path, sources__other_yml=unread, data__people_2020_csv=people(20, '"{},5"'), data__people_2021_csv=people(20, '"{},5"')
        )
        reports = place.run()
        assert reports["people"].down
        assert reports["other"].errors == {}

    def test_has_the_declared_limit(self, tmp_path: Path) -> None:
        changes = {"data__people_2020_csv": people(10) + people(10, code="x").split("\n", 1)[1], "data__people_2021_csv": people(20)}
        place = Place(tmp_path, sources__people_yml=SUMMED + "max_quarantined: 0.5\n", **changes)
        assert place.run()["people"].errors == {}
        place.write("sources/people.yml", SUMMED + "max_quarantined: 0\n")
        place.write("data/people_2020.csv", people(20) + "x,M,1\n")
        assert "1 of 21 rows are refused" in place.run()["people"].errors["year=2020"]

    def test_of_one_source_does_not_hold_back_the_others(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        place.run()
        place.write("data/people_2021.csv", people(20, code="x"))
        place.write("data/clubs.csv", clubs(21))
        reports = place.run()
        assert reports["people"].errors
        assert reports["clubs"].accepted == 21
        rows = Lake(place.workspace.lake).read_all(reports["people"].files("observations"), "observations")
        assert rows["time_period"].unique().sort().to_list() == ["2020", "2021"]

    def test_can_be_accepted_in_a_first_snapshot(self, tmp_path: Path) -> None:
        place = Place(tmp_path, data__clubs_csv=clubs(20).replace(",a1", ",x").replace(",a2", ",x"))
        assert place.run()["clubs"].down
        assert place.accept("clubs") == [""]
        report = place.run()["clubs"]
        assert (report.errors, report.down, report.accepted) == ({}, False, 12)
