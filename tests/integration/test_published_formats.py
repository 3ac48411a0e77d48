"""What a release holds stands before other people's validators and readers, and each validator refuses a spoiled copy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exports.model import layout
from tests.support.copies import to_spoil
from tests.support.validators import croissant_loads, csvw_refuses, frictionless_finds, jsonstat_values, profile_errors, rows, sdmx_reads

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(five_release: Path, tmp_path: Path) -> Path:
    """A copy of the release, to be spoiled."""
    return to_spoil(five_release, tmp_path / "release")


def spoil(path: Path, change: Callable[[Any], Any]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# ------------------------------------------------------------------------------------------------------------- CSV on the Web


def test_csvwvalidate_accepts_every_csv_file(five_release: Path) -> None:
    files = sorted(five_release.rglob("*.csv"))
    assert {path.parent.name for path in files} == {"csv", "indicator_values", "codelists", "sdmx", "topics"}
    metadata = {layout.metadata_path(path.relative_to(five_release).as_posix()) for path in files}
    assert metadata == {path.relative_to(five_release).as_posix() for path in five_release.rglob("*csv-metadata.json")}
    assert csvw_refuses(five_release / path for path in sorted(metadata)) == set()


def test_csvwvalidate_refuses_what_breaks_type_bounds_code_list_or_reference(copy: Path) -> None:
    replace(copy / "csv/coverage.csv", ",5,", ",x5,")
    replace(copy / "csv/areas.csv", "\na1,", "\nb1,")  # to which area_codes refers
    document = json.loads((copy / "csv/csv-metadata.json").read_bytes())
    names = [f"{name}.csv-metadata.json" for name in ("coverage", "area_codes", "sources")]
    for name in names:
        referred = (name.removesuffix("-metadata.json"), "areas.csv", "indicators.csv")
        own = [table for table in document["tables"] if table["url"] in referred or table.get("suppressOutput")]
        (copy / "csv" / name).write_text(json.dumps({**document, "tables": own}), encoding="utf-8")
    assert csvw_refuses(copy / "csv" / name for name in names) == set(names[:-1])


@pytest.mark.parametrize(("old", "new"), [(",1.0,persons", ",1.5,persons"), (",A,", ",W,")])
def test_csvwvalidate_refuses_a_wrong_cell_in_any_file_of_a_table(copy: Path, old: str, new: str) -> None:
    replace(copy / "csv/indicator_values/population.csv", old, new)  # coverage is at most 1; W is no status
    assert csvw_refuses([copy / "csv/indicator_values/csv-metadata.json"]) == {"csv-metadata.json"}


# --------------------------------------------------------------------------------------------------------------- Data Package


def test_frictionless_accepts_the_package_and_refuses_a_bad_cell(copy: Path) -> None:
    tables = {path.stem for path in (copy / "parquet").iterdir()} - {"cohesion_dispersion"}  # its thousand rows take seconds
    assert frictionless_finds(copy, tables) == []
    replace(copy / "csv/coverage.csv", ",_T,", ",_T,x")
    found = frictionless_finds(copy, tables)
    assert "type-error" in found
    assert "hash-count" in found or "byte-count" in found


def test_the_package_has_the_shape_of_its_profile(five_release: Path) -> None:
    assert profile_errors(five_release) == []
    assert profile_errors(five_release, datapackage={"resources": []}) != []
    assert profile_errors(five_release, dataresource={"hash": 5}) != []


def test_columns_that_indicators_add_have_their_title_and_unit(five_release: Path) -> None:
    package = json.loads((five_release / "datapackage.json").read_bytes())
    fields = {f["name"]: f for r in package["resources"] if r["name"] == "latest_values" for f in r["schema"]["fields"]}
    assert (fields["women_share"]["description"], fields["women_share"]["unit"]) == ("Share of women", "%")
    assert (fields["population"]["description"], fields["population"]["unit"]) == ("Population", "persons")
    assert not [f for r in package["resources"] for f in r["schema"]["fields"] if f["description"].startswith("{")]


# ------------------------------------------------------------------------------------------------------------------ Croissant


def test_mlcroissant_accepts_and_loads_the_tables_and_refuses_a_field_of_no_file(copy: Path) -> None:
    import mlcroissant

    loaded = croissant_loads(copy, most=500)
    assert loaded == {path.stem: min(rows(copy, path.stem), 500) for path in (copy / "parquet").glob("*.parquet")}
    first = next(iter(mlcroissant.Dataset(str(copy / "croissant.json")).records("areas")))
    assert (first["areas/ref_area"], first["areas/level"]) == (b"O1", b"okres")

    spoil(copy / "croissant.json", lambda value: value["recordSet"][0]["field"][0]["source"].update(fileObject={"@id": "nowhere"}))
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(str(copy / "croissant.json"))


# ----------------------------------------------------------------------------------------------------------------------- SDMX


def test_sdmx1_reads_back_the_structure_and_every_observation(copy: Path) -> None:
    import sdmx

    message = sdmx.read_sdmx(copy / "sdmx/structure.xml")
    structure = message.structure["INDICATORS"]
    assert [d.id for d in structure.dimensions] == ["INDICATOR", "REF_AREA", "SEX", "AGE", "TIME_PERIOD"]
    assert str(message.codelist["CL_AREA"]["a1"].name) == "Alder"
    assert message.dataflow["INDICATORS"].structure is structure
    for name, observations, total in sdmx_reads(copy):
        assert observations == rows(copy, "indicator_values", where=f"indicator = '{name}' and time_period <> ''")
        assert total == pytest.approx(rows(copy, "indicator_values", "coalesce(sum(obs_value), 0)", f"indicator = '{name}'"))

    replace(copy / "sdmx/population.csv", "STRUCTURE,STRUCTURE_ID", "STRUCTURE,DATAFLOW")
    with pytest.raises(ValueError, match="STRUCTURE_ID"):
        sdmx.read_sdmx(copy / "sdmx/population.csv", structure=structure)


# ------------------------------------------------------------------------------------------------------------------ JSON-stat


def test_jsonstat_validator_accepts_every_cube_and_refuses_a_wrong_size(copy: Path) -> None:
    from jsonstat_validator.utils import JSONStatValidationError

    paths = sorted((copy / "jsonstat").glob("*.json"))
    assert [path.stem for path in paths] == ["population", "women_share"]
    for path in paths:
        assert jsonstat_values(path) == rows(copy, "indicator_values", "count(obs_value)", f"indicator = '{path.stem}'")
        spoil(path, lambda cube: cube["size"].__setitem__(1, cube["size"][1] + 1))
        with pytest.raises(JSONStatValidationError):
            jsonstat_values(path)


# -------------------------------------------------------------------------------------------------------------------- Parquet


def test_three_readers_count_the_same_rows(five_release: Path) -> None:
    import fastparquet
    import pyarrow.parquet as pq

    for path in sorted((five_release / "parquet").glob("*.parquet")):
        there = fastparquet.ParquetFile(str(path))
        counts = {pq.ParquetFile(path).metadata.num_rows, rows(five_release, path.stem), len(there.to_pandas())}
        assert len(counts) == 1, path


# --------------------------------------------------------------------------------------------------------------------- DuckDB


def test_the_questions_of_the_readme_are_answered_and_documented(five_release: Path) -> None:
    readme = (five_release / "README.md").read_text(encoding="utf-8")
    for question in ("from latest", "from series(indicator, area)", "from compare(areas)"):
        assert f"`{question}`" in readme
    with duckdb.connect(str(five_release / "indicators.duckdb"), read_only=True) as release:
        ask = release.execute
        assert ask("select title, name, time_period, obs_value from latest where indicator = 'population' and ref_area = 'a1' and sex = 'M'"
        ).fetchall() == [("Population", "Alder", "2021", 13.0)]  # fmt: skip
        series = "select time_period, obs_value from series('population', 'a1') where sex = '_T'"
        assert ask(series).fetchall() == [("2020", 22.0), ("2021", 25.0)]
        compared = ask("select ref_area, obs_value from compare(['a2', 'a1']) where indicator = 'population'").fetchall()
        assert compared == [("a2", 42.0), ("a1", 25.0)]
        assert ask("select inside from compare(['a1']) where indicator = 'women_share'").fetchall() == [("East, North, State",)]
        comments = dict(
            ask("select function_name, comment from duckdb_functions() where function_type = 'table_macro' and not internal").fetchall()
        )
        assert {"series", "compare"} <= set(comments)
        assert all(comments.values())
    with duckdb.connect() as elsewhere:
        elsewhere.execute(f"attach '{five_release}/indicators.duckdb' as mine (read_only)")
        elsewhere.execute("use mine")
        assert len(elsewhere.execute("from series('population', 'a1')").fetchall()) == 6
