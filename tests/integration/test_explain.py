"""`zpo2 explain`: its statements are true down to the row of the file, it recomputes the number, and it reports differences."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.explain import reasons, render
from pipelines.explain.cell_key import CellKeyError
from pipelines.explain.computation import Computation, agree, compute
from pipelines.explain.explanation import Explanation, document
from pipelines.explain.facts import CellKey
from pipelines.explain.service import explain
from pipelines.explain.warehouse import Warehouse, WarehouseUnavailable, open_warehouse
from pipelines.packs.workspace import Workspace
from tests.conftest import current_release
from tests.support.command import PROJECT, zpo2
from tests.support.copies import to_spoil

pytestmark = pytest.mark.slow
Ask = Callable[..., dict[str, Any]]
DEMO = PROJECT / "packs" / "demo"
PAGE = PROJECT / "docs" / "explain.md"


def explain_cell(pack: Path, home: Path, *key: str) -> Explanation:
    with open_warehouse(WorkspaceFolder(home)) as warehouse:
        return explain(Workspace(home, Settings(), pack=packs.load(pack)), warehouse, CellKey(*key))


@pytest.fixture(scope="module")
def rules_pack_folder(rules_home: Path) -> Path:
    return rules_home.parent / "pack"


@pytest.fixture(scope="module")
def ask(rules_home: Path, rules_pack_folder: Path) -> Iterator[Ask]:
    """Explain cells of the pack of rules over one connection; returns documents."""
    pack, home = packs.load(rules_pack_folder), WorkspaceFolder(rules_home)
    with open_warehouse(home) as warehouse:

        def explain_as_document(indicator: str, area: str, period: str = "2021", sex: str = "_T", age: str = "_T") -> dict[str, Any]:
            return document(explain(Workspace(home.root, Settings(), pack=pack), warehouse, CellKey(indicator, area, period, sex, age)))

        yield explain_as_document


def inputs(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every input of a document, members included."""
    if isinstance(node, dict):
        yield from node.get("inputs", [])
        for value in node.values():
            yield from inputs(value)
    elif isinstance(node, list):
        for item in node:
            yield from inputs(item)


def published(release: Path) -> list[tuple[Any, ...]]:
    columns = "indicator, ref_area, time_period, sex, age, obs_value, obs_status, numerator, denominator, coverage"
    return duckdb.execute(f"select {columns} from '{release}/parquet/indicator_values.parquet' order by all").fetchall()


def differs(computation: Computation, row: tuple[Any, ...]) -> bool:
    outcome = computation.outcome
    denominator = outcome.denominator if computation.facts.indicator.has_denominator else None
    same = (
        agree(outcome.value, row[5]) and agree(outcome.numerator, row[7]) and agree(denominator, row[8]) and agree(outcome.coverage, row[9])
    )
    return not same or outcome.status != row[6]


def recomputed(warehouse: Warehouse, rows: list[tuple[Any, ...]]) -> tuple[list[Any], list[Any]]:
    """Return the rows whose recomputation differs, and those whose missing value has no reason."""
    wrong, silent = [], []
    for row in rows:
        computation = compute(warehouse, CellKey(*row[:5]))
        if differs(computation, row):
            wrong.append((row, computation.outcome))
        if row[5] is None and not reasons.status_reasons(computation, {}, warehouse.fills, "a survey"):
            silent.append(row)
    return wrong, silent


class TestRecomputation:
    def test_agrees_with_the_demo_release(self, demo_home: Path) -> None:
        rows = random.Random(7).sample(published(current_release(demo_home)), 200)
        with open_warehouse(WorkspaceFolder(demo_home)) as warehouse:
            assert recomputed(warehouse, rows) == ([], [])
        assert len({row[0] for row in rows}) > 20

    def test_agrees_for_every_rule(self, rules_home: Path) -> None:
        rows = published(current_release(rules_home))[::5]
        with open_warehouse(WorkspaceFolder(rules_home)) as warehouse:
            assert recomputed(warehouse, rows) == ([], [])
        assert {row[6] for row in rows} > set("AMLQCOZS")

    def test_agrees_for_areas_that_changed(self, decade_home: Path) -> None:
        rows = published(current_release(decade_home))[::3]
        with open_warehouse(WorkspaceFolder(decade_home)) as warehouse:
            assert recomputed(warehouse, rows) == ([], [])
        assert any(row[6] == "E" for row in rows)


class TestProvenance:
    def test_restated_cell_names_former_areas_and_rows(self, decade_home: Path) -> None:
        explanation = explain_cell(decade_home.parent / "pack", decade_home, "heads", "b", "2010")
        cell = document(explanation)["own"]["now"]["years"][0]["terms"][0]["operands"][0]["cell"]
        assert (cell["how"], cell["value"], cell["status"]) == ("restated", 220, "E")
        assert [(o["ref_area"], o["share"]) for o in cell["origins"]] == [("b", 1.0), ("old2", 0.25)]
        assert [(p["ref_area"], p["value"]) for p in cell["parts"]] == [("b", 200), ("old2", 80)]
        assert all(item["rows"] and item["texts"] for item in inputs(cell))
        assert explanation.reasons == ["heads 2010 is restated from its former areas b, old2"]
        assert explanation.agrees

    @pytest.mark.parametrize(
        "key",
        [
            ("women_candidates_share", "CZ0201", "2022"), ("mean_age", "CZ0201", "2021", "F"), ("population_growth_3y", "CZ0100", "2021"),
            ("population_change_5y", "CZ0642", "2023"), ("debt_ratio", "CZ0802", "2019"), ("net_migration", "CZ0100", "2020"),
            ("shrinking_districts_share", "CZ0802", "2024"), ("unemployed_share_to_state", "CZ0802", "2020"),
        ],
    )  # fmt: skip
    def test_inputs_are_the_named_cells_of_the_raw_file(self, key: tuple[str, ...], demo_home: Path) -> None:
        result = document(explain_cell(DEMO, demo_home, *key))
        snapshots = {s["sha256"]: s for s in result["snapshots"]}
        listed = duckdb.execute(
            f"select sha256, url, fetched_at, bytes from '{current_release(demo_home)}/parquet/snapshots.parquet'"
        ).fetchall()
        seen = 0
        for item in inputs(result["own"]):
            raw = (demo_home / snapshots[item["sha256"]]["archived"]).read_bytes()
            assert hashlib.sha256(raw).hexdigest() == item["sha256"]
            assert tuple(snapshots[item["sha256"]][k] for k in ("sha256", "url", "fetched_at", "bytes")) in listed
            header, *_ = lines = list(csv.reader(raw.decode().splitlines()))
            for text in item["texts"]:
                line = dict(zip(header, lines[text["row"] - 1], strict=True))
                assert {name: cell or "" for name, cell in text["cells"].items()} == {name: line[name] for name in text["cells"]}
                # measures of the demo pack are columns of its files
                column = item["declared"]["value"]
                assert item["value"] == (float(line[column]) if line[column] else None)
                seen += 1
        assert seen >= 1
        assert result["agrees"]

    def test_share_of_areas_has_its_threshold_and_the_value_of_each_area(self, demo_home: Path) -> None:
        result = document(explain_cell(DEMO, demo_home, "shrinking_districts_share", "CZ080", "2024"))
        assert result["formula"]["share_of_areas"] == {"below": 0, "above": None, "of": "areas"}
        assert result["formula"]["change"] == {"kind": "percent", "years": 3}
        members = result["rollup"]["members"]
        assert [m["numerator"] for m in members] == [1 if m["compared"] < 0 else 0 for m in members]
        assert result["value"]["obs_value"] == 100 * sum(m["numerator"] for m in members) / len(members) == 50
        assert result["rollup"]["base_numerator"] is None  # of the shares, which do not change
        ends = [[end["numerator"] for end in (member["now"], member["base"])] for member in members]
        assert all(base > 1000 for _, base in ends)
        assert result["agrees"]

    def test_difference_has_both_values(self, demo_home: Path) -> None:
        result = document(explain_cell(DEMO, demo_home, "unemployed_share_to_state", "CZ0802", "2020"))
        difference = result["formula"]["difference_to"]
        assert (difference["level"], difference["ref_area"], difference["obs_status"]) == ("nuts0", "CZ", "A")
        assert result["value"]["obs_value"] == difference["from_value"] - difference["obs_value"]
        assert result["formula"]["share_of_areas"] is None

    def test_rows_of_a_count_are_those_of_the_file(self, ask: Ask, rules_pack_folder: Path) -> None:
        result = ask("candidates", "t2")
        rows = [row for item in inputs(result["own"]) for row in item["rows"]]
        lines = (rules_pack_folder / "data" / "ballots.csv").read_text(encoding="utf-8").splitlines()
        assert rows == [n for n, line in enumerate(lines, 1) if ",t2," in line]
        assert result["value"]["obs_value"] == len(rows)

    def test_shows_corrections_with_old_and_new_text(self, ask: Ask, rules_pack_folder: Path) -> None:
        result = ask("mended", "t1")
        (item,) = inputs(result["own"])
        assert [(c["column"], c["old"], c["new"], c["reason"]) for c in item["corrections"]] == [("value", "120", "12", "a zero too many")]
        line = (rules_pack_folder / "data" / "figures.csv").read_text(encoding="utf-8").splitlines()[item["rows"][0] - 1]
        assert line == "mended,2021,t1,_T,_T,120,A"
        assert result["value"]["obs_value"] == 12
        members = {m["ref_area"]: list(inputs(m)) for m in ask("mended", "C1")["rollup"]["members"]}
        assert [c["new"] for c in members["t1"][0]["corrections"]] == ["12"]
        assert members["t2"][0]["corrections"] == []

    def test_rejected_cell_leads_to_the_quarantine(self, ask: Ask) -> None:
        result = ask("refused", "t1", "2022")
        assert result["value"]["obs_status"] == "Q"
        (item,) = inputs(result["own"])
        assert [(q["row"], q["column"], q["value"], q["reason"]) for q in item["quarantine"]] == [
            (item["rows"][0], "value", "abc", "not a number")
        ]
        assert "column value: not a number (abc)" in result["value"]["why"][0]

    def test_conflict_names_both_rows(self, ask: Ask) -> None:
        result = ask("twice", "t2")
        assert re.search(r"gives it different values in row (\d+) of figures, row (\d+) of figures", result["value"]["why"][0])
        assert sorted(item["value"] for item in inputs(result["own"])) == [5, 6]
        assert all("different value" in q["reason"] for item in inputs(result["own"]) for q in item["quarantine"])

    def test_counted_entries_show_their_place_only(self, ask: Ask, rules_pack_folder: Path) -> None:
        result = ask("members", "t1")
        (item,) = inputs(result["own"])
        assert [(e["source"], e["row"]) for e in item["entries"]] == [("members", 2), ("members", 3)]
        assert set(item["entries"][0]) == {"source", "part", "row", "snapshot"}
        assert result["snapshots"][0]["sha256"] == hashlib.sha256((rules_pack_folder / "data" / "members.csv").read_bytes()).hexdigest()
        none = ask("concerts", "t2")
        assert (none["value"]["obs_value"], [s["source"] for s in none["snapshots"]]) == (0, ["programme"])


class TestFormula:
    def test_ratio_shows_its_arithmetic(self, ask: Ask) -> None:
        result = ask("ratio", "t1")
        assert (result["formula"]["words"], result["formula"]["numbers"]) == ("part / whole", ["= 1 / 10", "= 0.1"])

    def test_change_shows_both_ends(self, ask: Ask) -> None:
        assert ask("change_percent", "t1")["formula"]["numbers"] == ["2021: 15", "2020: 10", "= 100 * (15 - 10) / 10", "= 50"]

    def test_total_over_sexes_shows_its_parts(self, ask: Ask) -> None:
        cell = ask("people", "t2")["own"]["now"]["years"][0]["terms"][0]["operands"][0]["cell"]
        assert cell["how"] == "women and men"
        assert {p["sex"]: p["value"] for p in cell["parts"]} == {"F": 2, "M": 1, "_U": 4}

    def test_split_uses_its_own_cell(self, ask: Ask) -> None:
        assert [(item["sex"], item["value"]) for item in inputs(ask("people", "t1", sex="F")["own"])] == [("F", 2)]

    def test_roll_up_names_every_area_with_sums_weight_and_reason(self, ask: Ask) -> None:
        result = ask("change_joined", "X")["rollup"]
        members = {m["ref_area"]: m for m in result["members"]}
        assert {a for a, m in members.items() if m["contributes"]} == {"t1", "t3", "t4"}
        assert (members["t3"]["numerator"], members["t3"]["base"]["numerator"], members["t3"]["weight"]) == (30, 20, 20)
        assert members["t5"]["why"] == ["joined 2020 was not collected: figures has no row for this area in this period"]
        assert (result["coverage"], result["coverage_needed"], result["weight"]) == (0.75, 1.0, {"measure": "heads", "time_period": "2021"})
        assert (result["counted"], result["weight_of_contributing"], result["weight_of_all"]) == (True, 3, 4)  # t5, t8 and t9 weigh nothing
        for member in members.values():
            assert all(item["sha256"] and item["rows"] for item in inputs(member))

    def test_distinguishes_reported_and_computed_parents(self, ask: Ask) -> None:
        computed, reported = ask("both_ways", "V1"), ask("both_ways_reported", "V1")
        assert (computed["value"]["way"], computed["value"]["obs_value"]) == ("rolled", 3)
        assert (reported["value"]["way"], reported["value"]["obs_value"]) == ("reported", 999)
        assert [c["text"] for c in computed["checks"] if c["name"] == "computed and reported"] == [
            "a source reports numerator 999, the areas below give 3; the computed value is published"
        ]

    def test_names_sources_that_are_not_used(self, ask: Ask) -> None:
        result = ask("twice", "t3")
        assert [c["text"] for c in result["checks"] if c["name"] == "sources agree"] == [
            "twice of t3 2021 [_T]: figures has 1, which is used; others have others 2"
        ]


class TestReasons:
    @pytest.mark.parametrize(
        ("key", "status", "reason"),
        [
            (("people", "t4"), "M", r"people 2021 is missing: the cell is empty or marked as missing in row \d+ of figures"),
            (("listed", "t3"), "M", r"listed 2021 is missing: ballots reports on this area in this period, but does not give this value"),
            (("total", "t8", "2021"), "A", None),
            (("change_joined", "X"), "L", r"75 % of the areas, and 100 % is needed"),
            (("told", "V2"), "C", r"told 2021 is confidential according to row \d+ of figures"),
            (("needed_only", "X", "-"), "O", r"no source is declared for it; it would need: a survey"),
            (("nothing", "C1", "2021"), "O", r"figures: no row of absent"),
            (("stays", "C1"), "O", r"a measure that cannot be summed has no value above town"),
            (("sparse", "t4", "2022"), "O", r"sparse 2022 was not collected: others has no row for this area in this period"),
            (("by_age", "t1"), "M", r"for this area and period, figures gives only other sexes or ages \(Y0T14, Y_GE15\)"),
            (("zero_ratio", "t1"), "Z", r"the denominator is 0"),
            (("change_log", "t3"), "Z", r"the base of the change is -5, but must be above 0"),
            (("late", "t1", "2025"), "S", r"late 2025 is unknown: late has no good snapshot"),
            (("rebased_change", "t1"), "B", r"has a break in 2021, between the two ends of the change"),
            (("flagged", "t2"), "E", r"is an estimate according to row \d+ of figures"),
            (("quiet", "C2"), "C", r"none of the 2 areas below has a value, all for the same reason"),
            (("quiet", "C1"), "L", r"3 areas do not contribute: 2 confidential \(C\), 1 missing at the source \(M\)"),
        ],
    )  # fmt: skip
    def test_every_status_has_its_reason(self, key: tuple[str, ...], status: str, reason: str | None, ask: Ask) -> None:
        result = ask(*key)
        assert result["value"]["obs_status"] == status
        if reason is None:
            assert result["value"]["why"] == []
        else:
            assert any(re.search(reason, line) for line in result["value"]["why"]), result["value"]["why"]
        assert result["agrees"]


class TestRender:
    def test_fits_a_terminal_and_names_everything(self, rules_home: Path, rules_pack_folder: Path) -> None:
        explanation = explain_cell(rules_pack_folder, rules_home, "mended", "t1", "2021")
        lines = list(render.lines(explanation, render.WIDTH))
        # addresses and paths in the archive are not wrapped
        assert [line for line in lines if len(line) > render.WIDTH and " " in line.strip() and "archive/" not in line] == []
        text = "\n".join(render.lines(explanation, None))
        (snapshot,) = explanation.snapshots
        for word in (snapshot["url"], snapshot["sha256"], snapshot["fetched_at"], '"120" -> "12"', "a zero too many", "= 12"):
            assert word in text

    def test_escapes_control_characters_of_files(self, rules_home: Path, rules_pack_folder: Path) -> None:
        explanation = explain_cell(rules_pack_folder, rules_home, "mended", "t1", "2021")
        trace = next(iter(explanation.traces.values()))
        trace.texts[trace.rows[0]]["value"] = "\x1b[2J"
        assert not any("\x1b" in line for line in render.lines(explanation, 100))


class TestCommand:
    def test_prints_text_or_json_and_writes_nothing(self, rules_home: Path, rules_pack_folder: Path) -> None:
        before = {p: p.stat().st_mtime_ns for p in rules_home.rglob("*")}
        arguments = ("explain", "ratio", "C1", "2021", "--pack", rules_pack_folder, "--home", rules_home)
        text, as_json = zpo2(*arguments), zpo2(*arguments, "--json")
        assert (text.returncode, text.stderr) == (0, "")
        assert "a ratio of sums over the areas of level town below it" in text.stdout
        result = json.loads(as_json.stdout)
        assert result["question"] == {
            "pack": "rules",
            "indicator": "ratio",
            "ref_area": "C1",
            "time_period": "2021",
            "sex": "_T",
            "age": "_T",
        }
        assert {p: p.stat().st_mtime_ns for p in rules_home.rglob("*")} == before

    @pytest.mark.parametrize(
        ("key", "line"),
        [
            (("populatio", "X", "2021"), "populatio: no such indicator; did you mean population?"),
            (("wellbeing", "X", "2021"), "wellbeing: is an index, not an indicator; its scores are in the table sustainability"),
            (("population", "state", "2021"), "state: no such area; did you mean S (State, nuts0)?"),
            (("population", "S", "2031"), "2031: population has no such period; did you mean 2020, 2021?"),
            (("women_share", "S", "2021", "F"), "sex F, age _T: not published for women_share in 2021; published are sex _T age _T"),
        ],
    )
    def test_unknown_key_names_existing_ones(self, key: tuple[str, ...], line: str, five_home: Path) -> None:
        with pytest.raises(CellKeyError, match=re.escape(line)):
            explain_cell(five_home.parent / "pack", five_home, *key)

    def test_exits_2_for_unknown_keys_and_1_without_warehouse(self, five_home: Path, tmp_path: Path) -> None:
        pack = five_home.parent / "pack"
        wrong = zpo2("explain", "populatio", "S", "2021", "--pack", pack, "--home", five_home)
        assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)
        none = zpo2("explain", "population", "S", "2021", "--pack", pack, "--home", tmp_path / "none")
        assert (none.returncode, none.stderr) == (1, f"{tmp_path / 'none'}: has no warehouse yet; `zpo2 run` builds it\n")
        assert not (tmp_path / "none").exists()

    def test_does_not_block_runs(self, five_home: Path, tmp_path: Path) -> None:
        home = WorkspaceFolder(Path(shutil.copytree(five_home, tmp_path / "home")))
        with home.lock(), pytest.raises(WarehouseUnavailable, match="a run is writing to it"), open_warehouse(home):
            pass
        with open_warehouse(home) as warehouse, home.lock(wait=0):  # a run may begin, and replace the warehouse, while an older one is open
            home.warehouse.unlink()
            assert warehouse.indicators

    def test_says_that_a_run_did_not_end(self, five_home: Path, tmp_path: Path) -> None:
        home = Workspace(Path(shutil.copytree(five_home, tmp_path / "home")), Settings(), pack=packs.load(five_home.parent / "pack"))
        with duckdb.connect(str(home.warehouse)) as warehouse:  # as after a change of one measure
            warehouse.execute("delete from valid_keys where name = 'population'")
        with pytest.raises(WarehouseUnavailable, match=r"is not complete \(a run did not end\)"):
            explain_cell(five_home.parent / "pack", home.root, "population", "S", "2021")

    def test_needs_a_warehouse(self, five_home: Path, tmp_path: Path) -> None:
        home = WorkspaceFolder(Path(shutil.copytree(five_home, tmp_path / "home")))
        home.warehouse.unlink()
        with pytest.raises(WarehouseUnavailable, match="has no warehouse yet"), open_warehouse(home):
            pass
        duckdb.connect(str(home.warehouse)).close()  # what a killed run leaves
        with pytest.raises(WarehouseUnavailable, match="is not complete"):
            explain_cell(five_home.parent / "pack", home.root, "population", "S", "2021")


@pytest.fixture
def five_copy(five_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(five_home, tmp_path / "home"))


class TestChecks:
    def test_wrong_warehouse_fails(self, five_copy: Path, five_home: Path) -> None:
        with duckdb.connect(str(five_copy / "warehouse.duckdb")) as connection:
            connection.execute("update marts.indicator_values set obs_value = 1000 where indicator = 'population' and ref_area = 'a1'")
        done = zpo2("explain", "population", "a1", "2021", "--pack", five_home.parent / "pack", "--home", five_copy)
        assert done.returncode == 1
        assert done.stdout.startswith("DISAGREES  recomputed: the input cells give 25 (A; ")
        assert "the warehouse has 1000 (A; " in done.stdout

    def test_changed_bytes_fail(self, five_copy: Path, five_home: Path) -> None:
        clean = explain_cell(five_home.parent / "pack", five_copy, "population", "a1", "2021")
        assert clean.agrees
        blob = five_copy / clean.snapshots[0]["archived"]
        blob.write_text(blob.read_text(encoding="utf-8").replace("a1,M,13", "a1,M,31"), encoding="utf-8")
        result = explain_cell(five_home.parent / "pack", five_copy, "population", "a1", "2021")
        assert {c.name for c in result.checks if c.state == "failed"} == {"bytes", "rows"}
        assert "its snapshot cannot be read again: the bytes in the archive do not have the checksum" in "".join(
            c.text for c in result.checks
        )

    def test_another_current_release_is_a_note_with_its_value(self, five_copy: Path, five_home: Path) -> None:
        public, made = five_copy / "public", current_release(five_copy)
        earlier = to_spoil(made, public / "releases" / "2025.01.1")
        table = earlier / "parquet" / "indicator_values.parquet"
        duckdb.execute(f"copy (select * replace (obs_value + 7 as obs_value) from '{table}') to '{table}.new' (format parquet)")
        shutil.move(f"{table}.new", table)
        ledger = json.loads((public / "releases.json").read_text(encoding="utf-8"))
        ledger["releases"].insert(0, {**ledger["releases"][0], "version": "2025.01.1"})
        (public / "releases.json").write_text(json.dumps(ledger), encoding="utf-8")
        (public / "latest.json").write_text(
            json.dumps({"version": "2025.01.1", "released": "x", "path": "releases/2025.01.1/"}), encoding="utf-8"
        )
        result = explain_cell(five_home.parent / "pack", five_copy, "population", "a1", "2021")
        assert result.agrees
        (text,) = [c.text for c in result.checks if c.name == "published"]
        assert text.startswith("the current release 2025.01.1 has 32 (A; ")
        assert text.endswith(f", as has release {made.name}")
        assert result.publication is not None
        assert result.publication.row is not None
        assert result.publication.row.value == 32

    def test_changed_declarations_are_a_note(self, five_home: Path, tmp_path: Path) -> None:
        pack = Path(shutil.copytree(five_home.parent / "pack", tmp_path / "pack"))
        people = pack / "sources" / "people.yml"
        people.write_text(
            people.read_text(encoding="utf-8").replace("{population: persons}", '{population: "persons * 2"}'), encoding="utf-8"
        )
        result = explain_cell(pack, five_home, "population", "a1", "2021")
        assert result.agrees
        assert any("declarations have changed" in note for note in result.notes)
        assert [c.state for c in result.checks if c.name == "rows"] == ["note"]


def without_times(text: str) -> str:
    """Replace what differs from day to day: times, and versions that contain the date."""
    return re.sub(
        r"\d+ of \d+ checks passed|\d+ checks passed",
        "checks passed",
        re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", re.sub(r"\b20\d\d\.\d\d\.\d+\b", "VERSION", text)),
    )


class TestDocumentation:
    def test_example_is_what_the_command_prints(self, demo_home: Path) -> None:
        shown = re.search(
            r"^```console\n\$ zpo2 (?P<arguments>[^\n]+)\n(?P<output>.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        assert shown is not None
        arguments = shown["arguments"].replace("packs/demo", str(DEMO)).split()
        done = zpo2(*arguments, "--home", demo_home)
        assert done.returncode == 0, done.stderr
        assert without_times(done.stdout) == without_times(shown["output"])

    def test_describes_every_key_of_the_document(self, ask: Ask, demo_home: Path) -> None:
        described = set(re.findall(r"`([a-z_0-9]+)`", PAGE.read_text(encoding="utf-8")))
        documents = [
            ask("ratio", "C1"),
            ask("mended", "t1"),
            ask("change_percent", "t1"),
            ask("members", "t1"),
            ask("refused", "t1", "2022"),
            document(explain_cell(DEMO, demo_home, "shrinking_districts_share", "CZ080", "2024")),
            document(explain_cell(DEMO, demo_home, "unemployed_share_to_state", "CZ0802", "2020")),
        ]
        used = {key for one in documents for key in keys(one)}
        assert used - described == set()


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ("gate", "cells"):  # the results of the gate, and the columns of a file
                yield from keys(value)
            yield key
    elif isinstance(node, list):
        for item in node:
            yield from keys(item)
