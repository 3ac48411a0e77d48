"""Lookups: columns that a source takes from the accepted rows of another source, by rows, quarantine, changes and explanations."""

from __future__ import annotations

from pathlib import Path

import pytest

from exports.model.provenance import REVISED, between
from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.yaml import PackError
from pipelines.explain.facts import Key, Observation
from pipelines.explain.provenance import ProvenanceReader
from pipelines.extract.http.limits import Limits
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.ingest.preview import preview
from pipelines.packs.compile import compile_pack
from pipelines.packs.drafts import load_draft
from pipelines.packs.workspace import Workspace
from pipelines.runs.provenance import of_run
from tests.support.ingested import HEAD, Ingested, ingest

ELECTED = """\
fetch: {url: "data/elected_{year}.csv", parts: {year: [2018, 2022]}}
read: {format: csv}
columns: {town: {required: true}, person: {personal: true, pattern: "[A-Za-z ]+"}}
lookups:
  sex_of_candidate: {source: candidates, on: {year: year, town: town, upper(person): upper(name)}, take: {sex: sex, full_name: name}}
into: observations
map: {area: {scheme: office, code: town}, period: year, sex: "coalesce(sex, '_U')", measures: {elected: {value: 1, aggregate: sum}}}
"""
CANDIDATES = (
    HEAD.format(id="candidates")
    + """\
fetch: {url: "data/candidates_{year}.csv", parts: {year: [2018, 2022]}}
read: {format: csv, ignore: "town = 'total'"}
columns: {town: {required: true}, name: {personal: true}, sex: {values: [M, F]}, valid: {}}
into: observations
map:
  where: "valid = 'A'"
  area: {scheme: office, code: town}
  period: year
  sex: "coalesce(sex, '_U')"
  measures: {stood: {value: 1, aggregate: sum}}
"""
)
FILES = {
    "elected_2018.csv": "town,person\nt1,ANN LEE\nt1,BOB RAY\nt2,TOM KAY\nt2,EVE DOE\nt3,SAM FOX\nt3,\n",
    "elected_2022.csv": "town,person\nt1,ANN LEE\n",
    "candidates_2018.csv": (
        "town,name,sex,valid\nt1,Ann Lee,F,A\nt1,Bob Ray,M,A\nt1,Bob Ray,M,A\nt2,Ann Lee,M,A\nt2,Tom Kay,M,A\nt2,Eve Doe,F,N\n"
        "t3,Sam Fox,M,A\nt3,Sam Fox,F,A\ntotal,Tom Kay,F,A\nt9,Tom Kay,F,A\n"
    ),
    "candidates_2022.csv": "town,name,sex,valid\nt1,Ann Lee,M,A\n",
}


def elected(folder: Path, files: dict[str, str] | None = None, source: str = ELECTED, **more: str) -> Ingested:
    return ingest(folder, source, files or FILES, **{"sources__candidates_yml": CANDIDATES, **more})


class TestRows:
    def test_take_cells_of_the_matching_accepted_row(self, tmp_path: Path) -> None:
        """Equal matches are one; a row that is not selected, ignored, or in quarantine there matches nothing; a part reads only its own year."""
        result = elected(tmp_path)
        values = {
            (area, period, sex): (value, status)
            for measure, area, period, sex, value, status in result.frame.select(
                "measure", "ref_area", "time_period", "sex", "obs_value", "obs_status"
            ).iter_rows()
            if measure is not None
        }
        assert values == {
            ("t1", "2018", "F"): (1.0, "A"), ("t1", "2018", "M"): (1.0, "A"), ("t2", "2018", "M"): (1.0, "A"), ("t2", "2018", "_U"): (1.0, "A"),
            ("t3", "2018", "_U"): (None, "Q"), ("t1", "2022", "M"): (1.0, "A"),
        }  # fmt: skip

    def test_several_different_matches_are_in_quarantine_without_names(self, tmp_path: Path) -> None:
        result = elected(tmp_path)
        reason = "lookups.sex_of_candidate: 2 different rows of candidates have the same year, town, upper(name)"
        assert result.reasons() == [(6, None, reason)]
        assert result.quarantine["value"].to_list() == ['{"town":"t3","person":"***","year":"2018"}']
        assert result.counts() == (7, 6, 1, {})

    @pytest.mark.slow
    def test_cell_that_cannot_be_read_is_not_a_cell_without_match(self, tmp_path: Path) -> None:
        """The sum is in doubt where the key is in quarantine, and where the cell taken is."""
        counted = ELECTED.replace(
            "value: 1, aggregate: sum", "value: \"case sex when 'F' then 1 when 'M' then 0 end\", aggregate: sum"
        ).replace("sex: \"coalesce(sex, '_U')\", ", "")
        files = FILES | {
            "elected_2022.csv": "town,person\nt1,ANN LEE\nt2,A11\n",
            "candidates_2022.csv": "town,name,sex,valid\nt1,Ann Lee,?,A\n",
        }
        frame = elected(tmp_path, files, counted).frame
        of_2022 = {
            (r["ref_area"], r["obs_value"], r["obs_status"]) for r in frame.to_dicts() if r["measure"] and r["time_period"] == "2022"
        }
        assert of_2022 == {("t1", None, "Q"), ("t2", None, "Q")}

    def test_personal_cells_reach_no_file_of_the_workspace(self, tmp_path: Path) -> None:
        elected(tmp_path)
        lake = [path for path in (tmp_path / "home").rglob("*") if path.is_file() and "archive" not in path.parts]
        assert lake
        for path in lake:
            content = path.read_bytes().upper()
            assert not [name for name in (b"ANN LEE", b"SAM FOX", b"EVE DOE") if name in content], path

    @pytest.mark.slow
    def test_chain_of_lookups(self, tmp_path: Path) -> None:
        """A lookup may use a column that an earlier one took, and take a column that the other source took itself."""
        codes = HEAD.format(id="codes") + (
            "fetch: {url: data/codes.csv}\nread: {format: csv}\ncolumns: {number: {}, code: {}, kind: {}}\ninto: observations\n"
            "map: {area: {scheme: office, code: code}, period: \"'2020'\", measures: {c: 1}}\n"
        )
        middle = HEAD.format(id="z_middle") + (
            "fetch: {url: data/middle.csv}\nread: {format: csv}\ncolumns: {number: {}, v: {type: number}}\n"
            "lookups: {area: {source: codes, on: {number: number}, take: {town: code, sort: kind}}}\ninto: observations\n"
            "map: {area: {scheme: office, code: town}, period: \"'2024'\", measures: {x: v}}\n"
        )
        source = (
            "fetch: {url: data/s.csv}\nread: {format: csv}\ncolumns: {n: {}}\n"
            "lookups:\n  place: {source: codes, on: {n: number}, take: {town: code}}\n"
            "  value: {source: z_middle, on: {town: town}, take: {v: v, sort: sort}}\n"
            "into: observations\nmap: {where: \"sort = 'a'\", area: {scheme: office, code: town}, period: \"'2024'\", measures: {m: v}}\n"
        )
        files = {"codes.csv": "number,code,kind\n10,t1,a\n20,t2,b\n", "middle.csv": "number,v\n10,1.5\n20,2\n", "s.csv": "n\n10\n20\n"}
        result = ingest(tmp_path, source, files, sources__codes_yml=codes, sources__z_middle_yml=middle)
        assert result.by_area() == {"t1": 1.5}
        assert result.counts() == (2, 1, 0, {"where": 1})


def run(folder: Path, **files: str) -> Ingest:
    """Fetch and ingest the pack of an earlier run again, with changed files."""
    for name, content in files.items():
        (folder / "pack/data" / name.replace("_csv", ".csv")).write_text(content)
    workspace = Workspace(
        folder / "home", Settings(allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=1_760_000_100), pack=packs.load(folder / "pack")
    )
    fetch_sources(workspace, limits=Limits(retries=0, backoff=0))
    return Ingest(workspace)


@pytest.mark.slow
class TestChanges:
    def test_rows_are_mapped_again_when_the_source_that_they_look_up_changes(self, tmp_path: Path) -> None:
        before = elected(tmp_path)
        again = run(tmp_path).run()
        assert [r.key for r in again["s"].parts.values()] == [r.key for r in before.report.parts.values()]
        ingested = run(tmp_path, candidates_2022_csv="town,name,sex,valid\nt1,Ann Lee,F,A\n")
        report = ingested.run()["s"]
        frame = ingested.context.lake.read_all(report.files("observations"), "observations")
        rows = frame.filter((frame["time_period"] == "2022") & frame["measure"].is_not_null())
        assert rows.select("sex", "obs_value").rows() == [("F", 1.0)]

    def test_source_without_any_snapshot_cannot_be_looked_up(self, tmp_path: Path) -> None:
        files = {name: text for name, text in FILES.items() if name != "candidates_2018.csv"}
        report = elected(tmp_path, files).report
        assert report.errors["year=2018"].endswith("lookups.sex_of_candidate: candidates year=2018 has no snapshot that can be used")

    def test_refused_snapshot_leaves_the_last_good_one_to_look_up(self, tmp_path: Path) -> None:
        before = elected(tmp_path)
        reports = run(tmp_path, candidates_2018_csv="town,name,valid\nt1,Ann Lee,A\n").run()
        assert reports["candidates"].errors
        assert {r.key for r in reports["s"].parts.values()} == {r.key for r in before.report.parts.values()}


@pytest.mark.slow
class TestExplain:
    def test_row_of_the_other_source_is_an_input(self, tmp_path: Path) -> None:
        result = elected(tmp_path)
        workspace = Workspace(tmp_path / "home", Settings(), pack=packs.load(tmp_path / "pack"))
        provenance = ProvenanceReader(workspace, warehouse=None)  # type: ignore[arg-type]
        snapshot = result.report.parts["year=2018"].snapshot
        key = Key("elected", "t1", "2018", "F", "_T")
        observation = Observation("s", "year=2018", key, 1.0, "A", "sum", True, 2, 1, snapshot)
        trace = provenance.traces([observation], whole=True)[observation]
        assert (trace.value_read, trace.rows, [(e.source, e.part, e.row) for e in trace.looked_up]) == (
            1.0,
            (2,),
            [("candidates", "year=2018", 2)],
        )
        assert trace.texts[2] == {"town": "t1", "sex (candidates year=2018, row 2)": "F"}


@pytest.mark.slow
class TestProvenance:
    def test_indicator_depends_on_the_source_that_is_looked_up(self, tmp_path: Path) -> None:
        indicator = (
            "- {id: i, title: I, objective: ZPO2-2, unit: persons, direction: none, "
            "formula: {numerator: [{measure: elected}]}, levels: [town]}\n"
        )
        elected(tmp_path, indicators__i_yml=indicator)
        workspace = Workspace(tmp_path / "home", Settings(), pack=packs.load(tmp_path / "pack"))
        assert compile_pack(workspace.pack)["indicators"]["sources"].to_list() == ["candidates;s"]
        before = of_run(workspace)
        assert before.indicators["i"].sources == ["candidates", "s"]
        run(tmp_path, candidates_2022_csv="town,name,sex,valid\nt1,Ann Lee,F,A\n").run()
        assert between(before, of_run(workspace)).indicator == {"i": REVISED}


@pytest.mark.slow
class TestPreview:
    def test_fetches_the_parts_that_it_looks_up(self, tmp_path: Path) -> None:
        elected(tmp_path)
        pack = packs.load(tmp_path / "pack")
        workspace = Workspace(tmp_path / "other", Settings(allow_hosts="127.0.0.1"), pack=pack)
        result = preview(workspace, load_draft(tmp_path / "pack", "s"), "year=2018")
        assert result.lookups == {"sex_of_candidate": {"source": "candidates", "rows": 5, "matched": 3}}
        assert (result.accepted, result.rows_refused) == (5, 1)


class TestCheck:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("source: candidates", "source: nobody", "nobody: no such source that is fetched"),
            ("town: town,", "place: town,", "place: no such column"),
            ("upper(name)", "upper(title)", "title: no such column in candidates"),
            ("sex: sex,", "sex: gender,", "gender: no such column in candidates"),
            ("sex: sex,", "Town: sex,", "Town: there is a column of this name already"),
            ("period: year, sex", "period: full_name, sex", "uses a personal column, which must never be stored"),
            ("{year: year, town: town, upper(person): upper(name)}", "{}", "at least 1"),
            ("take: {sex: sex", "give: {sex: sex", "unknown key"),
        ],
    )
    def test_refuses(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        elected(tmp_path)
        path = tmp_path / "pack/sources/s.yml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(PackError) as error:
            packs.load(tmp_path / "pack")
        assert message in str(error.value)
        assert "sources/s.yml:" in str(error.value)

    def test_refuses_a_circle_and_a_source_that_is_read_later(self, tmp_path: Path) -> None:
        elected(tmp_path)
        path = tmp_path / "pack/sources/candidates.yml"
        lookup = "lookups: {back: {source: s, on: {town: town}, take: {x: person}}}\ninto:"
        path.write_text(path.read_text().replace("into:", lookup))
        areas = tmp_path / "pack/sources/a_areas.yml"
        areas.write_text(areas.read_text().replace("into:", "lookups: {n: {source: candidates, on: {code: town}, take: {x: sex}}}\ninto:"))
        with pytest.raises(PackError) as error:
            packs.load(tmp_path / "pack")
        assert "the lookups form a circle" in str(error.value)
        assert "sources of areas are read before those of observations" in str(error.value)
        path.write_text(CANDIDATES + "enabled: false\n")
        with pytest.raises(PackError, match="candidates: the source is not enabled"):
            packs.load(tmp_path / "pack")
