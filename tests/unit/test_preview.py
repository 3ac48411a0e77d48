"""`zpo2 preview`: what one source gives, in a pack that may be unfinished; and the quarantine counted by reason."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli.app import app
from pipelines.cli.inspect import _print_csv
from pipelines.core.settings import Settings
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.ingest.preview import looks_like
from pipelines.lake.ingest.shape import no_column
from pipelines.lake.quarantine import by_reason
from pipelines.packs import load
from pipelines.packs.workspace import Workspace
from tests.support import five_places


def preview(pack: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["preview", *arguments, "--pack", str(pack), "--home", str(pack.parent / "home"), "--json"])
    assert done.exit_code == code, done.output
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class TestPreview:
    def test_shows_what_the_reader_gives_and_what_the_map_makes(self, tmp_path: Path) -> None:
        result = preview(five_places.write(tmp_path / "pack"), "people", "--part", "year=2021")
        assert [(c["name"], c["looks_like"], c["declared"]) for c in result["columns"]] == [
            ("code", "text", "code: string"), ("sex", "text", "sex: string"), ("persons", "whole number", "persons: integer"),
        ]  # fmt: skip
        assert result["sample"][0] == {"row": 2, "code": "a1", "sex": "M", "persons": "13"}
        assert (result["rows_read"], result["accepted"], result["rows_ignored"]) == (11, 10, 1)
        assert result["measures"]["population"]["sum"] == 309
        assert not (tmp_path / "home").exists()

    def test_reads_the_first_part_without_a_choice(self, tmp_path: Path) -> None:
        assert preview(five_places.write(tmp_path / "pack"), "people")["part"] == "year=2020"

    def test_says_what_the_contract_and_the_map_refuse(self, tmp_path: Path) -> None:
        rows = "code,sex,persons\na1,M,1\na1,F,-2\nb9,F,3\nb8,F,3\na2,F,many\n"
        result = preview(five_places.write(tmp_path / "pack", data__people_2020_csv=rows), "people")
        assert {(g["reason"], g["count"], g["first_row"]) for g in result["refused"]} == {
            ("code ... of scheme lau: unknown", 2, 4), ("below the minimum of 0", 1, 3), ("not an integer", 1, 6),
        }  # fmt: skip
        assert (result["rows_refused"], result["cells_refused"]) == (2, 2)

    def test_shows_the_file_before_there_is_a_contract_or_a_map(self, tmp_path: Path) -> None:
        draft = "id: people\nfetch: {url: data/people_2020.csv}\nread: {format: csv}\n"
        pack = five_places.write(tmp_path / "pack", sources__people_yml=draft, indicators__all_yml="- id: [\n")
        result = preview(pack, "people")
        assert [c["name"] for c in result["columns"]] == ["code", "sex", "persons"]
        assert any(fault.endswith("columns: missing") or "title: missing" in fault for fault in result["faults"])
        assert "are not finished" in result["stopped"]

    def test_goes_as_far_as_the_map_where_other_files_have_faults(self, tmp_path: Path) -> None:
        pack = five_places.write(tmp_path / "pack", indicators__all_yml="- id: x\n  nonsense: 1\n", sources__broken_yml="id: [\n")
        assert preview(pack, "people")["measures"]["population"]["values"] == 10

    def test_names_the_nearest_column_and_all_others(self, tmp_path: Path) -> None:
        pack = five_places.write(tmp_path / "pack", data__people_2020_csv="code,sex,Pérsons \na1,M,1\n")
        missing = "the file has no column persons; the nearest is Pérsons; its columns are code, sex, Pérsons"
        assert preview(pack, "people")["missing_columns"] == [missing]
        (pack / "data" / "people_2020.csv").write_text("Code,sex,persons\na1,M,1\n", encoding="utf-8")
        ignored = five_places.PEOPLE.replace("code = 'Total'", "kode = 'Total'")
        (pack / "sources" / "people.yml").write_text(ignored, encoding="utf-8")
        stopped = "read.ignore: the file has no column kode; the nearest is Code; its columns are Code, sex, persons"
        assert preview(pack, "people", code=1)["stopped"] == stopped

    def test_masks_personal_columns(self, tmp_path: Path) -> None:
        people = five_places.PEOPLE.replace("sex: {values: [M, F]}", "sex: {personal: true}").replace("  sex: sex\n", "")
        result = preview(five_places.write(tmp_path / "pack", sources__people_yml=people), "people")
        assert {row["sex"] for row in result["sample"]} == {"***"}
        assert {c["example"] for c in result["columns"] if c["name"] == "sex"} == {"***"}

    @pytest.mark.parametrize(
        ("arguments", "changes", "code", "message"),
        [
            (("nobody",), {}, 2, "nobody: no such source in five; its sources are areas, people"),
            (("people", "--part", "year=1999"), {}, 1, "no such part; the source has year=2020, year=2021"),
            (("people",), {"data__people_2020_csv": "<html><title>Log in</title>"}, 1, "a web page in place of data (Log in)"),
            (("people",), {"sources__people_yml": five_places.PEOPLE.replace("format: csv", "format: cvs")}, 2, "read.format"),
        ],
    )
    def test_says_why_there_is_nothing_to_show(
        self, tmp_path: Path, arguments: tuple[str, ...], changes: dict[str, str], code: int, message: str
    ) -> None:
        pack = five_places.write(tmp_path / "pack", **changes)
        done = CliRunner().invoke(app, ["preview", *arguments, "--pack", str(pack)])
        assert message in str(done.exception) + " ".join(getattr(done.exception, "lines", []))
        assert getattr(done.exception, "exit_code", None) == code

    def test_prints_a_page_for_people(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["preview", "people", "--pack", str(five_places.write(tmp_path / "pack"))])
        assert done.exit_code == 0
        assert "persons: whole number, such as '10' -> persons: integer" in done.stdout
        assert "population: 10 values of 5 areas, 2020 to 2020, between 10 and 50, together 306" in done.stdout


class TestLooksLike:
    @pytest.mark.parametrize(
        ("cells", "words"),
        [
            (["1", "20"], "whole number"),
            (["000411", "1"], "digits with leading zeros (a code)"),
            (["1,5", "2"], "number with the decimal mark ,"),
            (["1 234,5"], "number with blanks between thousands"),
            (["1.234.567"], "number with dots between thousands"),
            (["31.12.2024"], "date (day, month, year)"),
            (["2024-12-31"], "date (ISO)"),
            (["a", "1"], "text"),
            ([], "empty"),
        ],
    )
    def test_describes_cells(self, cells: list[str], words: str) -> None:
        assert looks_like(pl.Series(cells, dtype=pl.String)) == words


def test_no_column_lists_a_limited_number_of_printable_names() -> None:
    message = no_column("hodnota", ["Hodnota\x1b[2J", *(f"c{i}" for i in range(100))])
    assert "the nearest is Hodnota\\x1b[2J" in message
    assert message.endswith("and 61 more")
    assert no_column("x", []) == "the file has no column x; it has no columns at all"


@pytest.fixture
def quarantined(tmp_path: Path) -> Path:
    """The home of a pack after its ingest, with five refused rows and cells."""
    rows = "code,sex,persons\na1,M,1\nb9,F,3\nb8,F,3\nb7,F,4\na2,F,many\na3,M,-1\n"
    pack = load(five_places.write(tmp_path / "pack", data__people_2020_csv=rows))
    workspace = Workspace.of(pack, tmp_path / "home", Settings())
    workspace.open()
    fetch_sources(workspace)
    Ingest(workspace).run()
    return tmp_path


def quarantine(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["quarantine", *arguments, "--pack", str(folder / "pack"), "--home", str(folder / "home")])
    assert done.exit_code == 0, done.output
    return done.stdout


class TestQuarantine:
    def test_counts_by_reason(self, quarantined: Path) -> None:
        first, *_, last = quarantine(quarantined, "--group-by", "reason").splitlines()
        assert first.startswith("3 x people: code ... of scheme lau: unknown  (first in row 3: ")
        assert last == "5 refused rows and cells"

    def test_shows_a_limited_number_of_lines(self, quarantined: Path) -> None:
        lines = quarantine(quarantined, "--limit", "2").splitlines()
        assert lines[2] == "5 refused rows and cells; 2 of 5 lines shown"

    def test_prints_csv(self, quarantined: Path) -> None:
        rows = list(csv.DictReader(io.StringIO(quarantine(quarantined, "people", "--csv"))))
        assert [row["row_number"] for row in rows] == ["3", "4", "5", "6", "7"]
        grouped = list(csv.DictReader(io.StringIO(quarantine(quarantined, "--csv", "--group-by", "reason"))))
        assert [row["count"] for row in grouped] == ["3", "1", "1"]

    def test_csv_has_no_formulas(self, capsys: pytest.CaptureFixture[str]) -> None:
        _print_csv(["value"], [{"value": "=cmd()"}, {"value": "-5"}])
        assert capsys.readouterr().out == "value\n'=cmd()\n-5\n"

    def test_leaves_values_out_of_reasons(self) -> None:
        reasons = ["period x: not a year, quarter, month or date", "period y: not a year, quarter, month or date"]
        frame = pl.DataFrame({"row_number": [1, 2], "column": [None, None], "value": ["a", "b"], "reason": reasons})
        assert by_reason(frame)["reason"].to_list() == ["period ...: not a year, quarter, month or date"]
