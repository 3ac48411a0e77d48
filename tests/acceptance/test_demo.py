"""The demo pack: real figures, offline, every table with content, and nothing in it that packs/cz did not compute."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import shapely

from exports.formats import simplified, topojson
from exports.model import layout
from tests.support.command import PROJECT

pytestmark = pytest.mark.acceptance
DEMO = PROJECT / "packs" / "demo"
TABLES = [
    "area_codes", "area_parents", "areas", "breaks", "changes", "cohesion_convergence", "cohesion_dispersion", "community", "comparisons", "coverage",
    "gender_gaps", "index_components", "index_sensitivity", "indicator_values", "indicators", "indices", "latest_values", "objective_measures",
    "peers", "progress", "snapshots", "sources", "status_notes", "sustainability", "trends",
]  # fmt: skip


@pytest.fixture
def release(demo_release: Path) -> Path:
    return demo_release


def test_the_pack_is_small_and_offline() -> None:
    files = [p for p in DEMO.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 1_000_000
    assert "http" not in "".join(
        p.read_text(encoding="utf-8").split("fetch:")[1].split("\n")[0] for p in files if "fetch:" in p.read_text()
    )


def test_the_pack_has_sums_only_and_nothing_that_must_be_shared_alike() -> None:
    licences = {
        line for p in (DEMO / "sources").glob("*.yml") for line in p.read_text(encoding="utf-8").splitlines() if line.startswith("licence:")
    }
    assert licences == {"licence: CC-BY-4.0", "licence: CC0-1.0", "licence: NOASSERTION"}
    texts = {
        column
        for p in (DEMO / "data").glob("*.csv")
        for column, *cells in zip(*(line.split(",") for line in p.read_text(encoding="utf-8").splitlines()), strict=True)
        if any(cell.strip("0123456789.-") for cell in cells)
    }
    assert texts == {"code", "name", "level", "parent", "district", "region", "sex"}


def test_the_readme_names_every_mechanism_where_it_is() -> None:
    section = (PROJECT / "README.md").read_text(encoding="utf-8").split("## Look around in packs/demo")[1].split("\n## ")[0]
    rows = re.findall(r"^\| .* \| `([^`]+)` \| \[([^]]+)\]\((packs/demo/[^)]+)\) \|$", section, re.MULTILINE)
    assert len(rows) == section.count("\n| ") - 2
    for key, name, path in rows:
        assert path == f"packs/demo/{name}"
        assert key in (PROJECT / path).read_text(encoding="utf-8"), (key, path)


def test_every_table_has_content(release: Path) -> None:
    rows = {p.stem: duckdb.execute(f"select count(*) from '{p}'").fetchall()[0][0] for p in (release / "parquet").glob("*.parquet")}
    assert sorted(rows) == TABLES
    assert all(count for name, count in rows.items() if name != "changes"), rows  # a first release has nothing to compare with


def test_maps_have_the_boundaries_of_all_areas(release: Path) -> None:
    levels = json.loads((release / layout.BOUNDARIES).read_bytes())["levels"]
    assert [(level["level"], level["areas"], level["boundaries"], level["missing"]) for level in levels] == [
        ("okres", 77, 77, []), ("nuts3", 14, 14, []), ("nuts0", 1, 1, []),
    ]  # fmt: skip
    assert {entry["publisher"] for level in levels for entry in level["attribution"]} == {"Český úřad zeměměřický a katastrální"}
    surfaces = {}
    for level in levels:
        shapes = list(topojson.decode(json.loads((release / level["topojson"]).read_bytes())).values())
        assert shapely.coverage_is_valid(shapes)
        surfaces[level["level"]] = sum(shape.area for shape in shapes)
        assert simplified.packed((release / level["topojson"]).read_bytes()) <= 13_000
    assert max(surfaces.values()) - min(surfaces.values()) < 1e-3 * surfaces["nuts0"]
    assert shapely.unary_union(shapes).bounds == pytest.approx((12.09, 48.55, 18.86, 51.06), abs=0.01)


def test_breaks_have_their_notes_and_the_indicators_that_read_them(release: Path) -> None:
    query = f"select measure, period, source, note_en, note_cs, indicators from '{release}/parquet/breaks.parquet' order by measure, period"
    rows = {row[:2]: row[2:] for row in duckdb.execute(query).fetchall()}
    assert rows["mean_age", "2022"][0] == "population"
    assert rows["population", "2022"][1:3] == ("Rebased on the census of 2021", "Přepočteno podle sčítání 2021")
    assert {"population", "population_density"} <= set(rows["population", "2023"][3].split(";"))
    assert "turnout_council" in rows["ballots_council", "2018"][3]


def test_values_refer_to_the_notes_of_their_sources(release: Path) -> None:
    values, notes = (f"'{release}/parquet/{table}.parquet'" for table in ("indicator_values", "status_notes"))
    query = f"select v.indicator, v.ref_area, v.obs_status, n.text_cs from {values} as v join {notes} as n on n.note = v.status_note order by all"
    rows = duckdb.execute(query).fetchall()
    assert {row[1:] for row in rows if row[0] == "dwellings_completed"} == {
        (area, "M", "V souboru zdroje se tento údaj největších měst ztratil.") for area in ("CZ0100", "CZ0323", "CZ0642")
    }
    assert {row[3] for row in rows if row[0] == "women_councillors_share"} == {"Zvolení členové jsou známi za rok 2018."}


def test_every_rank_has_an_interval_around_it_and_a_place_among_its_ranked_peers(release: Path) -> None:
    for table in ("sustainability", "community"):
        ranked, inside, wide, misplaced = duckdb.execute(
            f"""with scores as (select * from '{release}/parquet/{table}.parquet'),
            with_peers as (
                select distinct s.component, s.ref_area
                from scores as s
                inner join '{release}/parquet/peers.parquet' as p on p.ref_area = s.ref_area
                inner join scores as other on other.ref_area = p.peer and other.component = s.component
                where other.rank is not null
            )
            select count(rank), count(*) filter (where rank_low <= rank and rank <= rank_high), count(*) filter (where rank_low < rank_high),
                count(*) filter (where (peer_percentile is not null) <> (rank is not null and w.ref_area is not null))
            from scores left join with_peers as w using (component, ref_area)"""
        ).fetchall()[0]
        assert ranked == inside > 0
        assert wide > ranked / 2
        assert misplaced == 0


def test_scores_that_lack_an_election_are_estimates_without_a_rank(release: Path) -> None:
    rows = duckdb.execute(
        f"""select obs_status, count(*), count(rank), count(fifth) from '{release}/parquet/community.parquet'
        where component = 'community' group by all order by all"""
    ).fetchall()
    assert rows == [("A", 59, 59, 59), ("E", 18, 0, 0)]


def test_effective_weights_of_an_arithmetic_index_share_its_variance(release: Path) -> None:
    weights = duckdb.execute(
        f"""select sum(obs_value) from '{release}/parquet/index_sensitivity.parquet'
        where "index" = 'sustainability' and statistic = 'effective_weight' and component in ('economic', 'environmental', 'social')"""
    ).fetchall()[0][0]
    assert weights == pytest.approx(1)  # every scored district has all three fields


def test_data_are_what_make_demo_writes_from_the_real_pack(cz_home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "packs" / "make_demo.py"), str(cz_home), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made, committed = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in (tmp_path, DEMO / "data"))
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []


# packs/cz takes changes from the municipalities that have figures of both years. Sums of districts cannot leave out the others.
CHANGES = ("population_change_5y", "population_growth_3y", "turnout_parliament_change")


def test_indicators_have_the_values_of_the_real_pack(release: Path, cz_release: Path) -> None:
    compared = duckdb.execute(
        f"""select indicator, count(*), count(*) filter (where not abs(d.obs_value - c.obs_value) <= 1e-9 * abs(c.obs_value)) as different
        from '{release}/parquet/indicator_values.parquet' as d
        inner join '{cz_release}/parquet/indicator_values.parquet' as c using (indicator, ref_area, time_period, sex)
        where
            d.obs_value is not null and c.obs_value is not null and indicator not in {CHANGES}
            -- the density of today's area, of which a part had no municipality yet
            and not (indicator = 'population_density' and c.coverage < 1)
        group by indicator"""
    ).fetchall()
    assert len(compared) == 83
    assert [row for row in compared if row[2]] == []


def test_every_district_that_the_real_pack_publishes_has_a_value(release: Path, cz_release: Path) -> None:
    rows = duckdb.execute(
        f"""select c.indicator, c.ref_area, c.time_period, c.sex
        from '{cz_release}/parquet/indicator_values.parquet' as c
        left join '{release}/parquet/indicator_values.parquet' as d using (indicator, ref_area, time_period, sex)
        where
            c.obs_value is not null and d.obs_value is null and c.level = 'okres'
            and c.indicator in (select indicator from '{release}/parquet/indicators.parquet')"""
    ).fetchall()
    assert rows == []


def test_shares_and_differences_follow_from_the_values_of_districts(release: Path) -> None:
    values = f"'{release}/parquet/indicator_values.parquet'"
    losing, published = duckdb.execute(
        f"""with people as (
            select ref_area, time_period, obs_value from {values} where indicator = 'population' and level = 'okres' and sex = '_T'
        )
        select
            100 * avg(case when later.obs_value < earlier.obs_value then 1 else 0 end),
            (select obs_value from {values} where indicator = 'shrinking_districts_share' and ref_area = 'CZ' and time_period = '2024')
        from people as later inner join people as earlier using (ref_area)
        where later.time_period = '2024' and earlier.time_period = '2021'"""
    ).fetchall()[0]
    assert published == pytest.approx(losing)
    differences = duckdb.execute(
        f"""select d.obs_value, plain.obs_value - state.obs_value
        from {values} as d
        inner join {values} as plain on plain.indicator = 'unemployed_share' and plain.ref_area = d.ref_area and plain.time_period = d.time_period
        inner join {values} as state on state.indicator = 'unemployed_share' and state.ref_area = 'CZ' and state.time_period = d.time_period
        where d.indicator = 'unemployed_share_to_state'"""
    ).fetchall()
    assert len(differences) == 5 * 92
    assert all(published == pytest.approx(computed, abs=1e-9) for published, computed in differences)
