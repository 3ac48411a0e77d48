"""The demo pack: real figures, offline, every table with content, and nothing in it that packs/cz did not compute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

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


def test_every_table_has_content(release: Path) -> None:
    rows = {p.stem: duckdb.execute(f"select count(*) from '{p}'").fetchall()[0][0] for p in (release / "parquet").glob("*.parquet")}
    assert sorted(rows) == TABLES
    assert all(count for name, count in rows.items() if name != "changes"), rows  # a first release has nothing to compare with


def test_breaks_have_their_notes_and_the_indicators_that_read_them(release: Path) -> None:
    query = f"select measure, period, source, note_en, note_cs, indicators from '{release}/parquet/breaks.parquet' order by measure"
    mean_age, population = duckdb.execute(query).fetchall()
    assert mean_age[:3] == ("mean_age", "2022", "population")
    assert population[3:5] == ("Rebased on the census of 2021", "Přepočteno podle sčítání 2021")
    assert {"population", "population_density"} <= set(population[5].split(";"))


def test_values_refer_to_the_notes_of_their_sources(release: Path) -> None:
    values, notes = (f"'{release}/parquet/{table}.parquet'" for table in ("indicator_values", "status_notes"))
    query = f"select v.indicator, v.ref_area, v.obs_status, n.text_cs from {values} as v join {notes} as n on n.note = v.status_note order by all"
    rows = duckdb.execute(query).fetchall()
    assert {row[:3] for row in rows if row[0] == "net_migration"} == {
        ("net_migration", area, "M") for area in ("CZ0100", "CZ0642", "CZ0806")
    }
    assert {row[3] for row in rows} == {"U obcí s většinou obyvatel okresu chybí saldo stěhování ve zdroji."}


def test_every_rank_has_an_interval_around_it_and_a_place_among_its_peers(release: Path) -> None:
    for table in ("sustainability", "community"):
        ranked, inside, wide, compared = duckdb.execute(
            f"""select count(rank), count(*) filter (where rank_low <= rank and rank <= rank_high),
                count(*) filter (where rank_low < rank_high), count(peer_percentile)
            from '{release}/parquet/{table}.parquet'"""
        ).fetchall()[0]
        assert ranked == inside == compared > 0
        assert wide > ranked / 2


def test_effective_weights_of_an_arithmetic_index_share_its_variance(release: Path) -> None:
    weights = duckdb.execute(
        f"""select sum(obs_value) from '{release}/parquet/index_sensitivity.parquet'
        where "index" = 'sustainability' and statistic = 'effective_weight' and component in ('economic', 'environmental', 'social')"""
    ).fetchall()[0][0]
    assert weights == pytest.approx(1)  # every scored district has all three fields


# packs/cz has gained four years of planning data, two elections, 2024 and six budgets since the figures of packs/demo were taken from it
OLDER_FIGURES = pytest.mark.xfail(reason="packs/demo has the figures that packs/cz had before its last extension", strict=True)


@OLDER_FIGURES
def test_the_figures_are_those_that_the_real_pack_computes(cz_home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "packs" / "make_demo.py"), str(cz_home), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = {p.name: p.read_text(encoding="utf-8") for p in tmp_path.glob("*.csv")}
    assert made == {p.name: p.read_text(encoding="utf-8") for p in (DEMO / "data").glob("*.csv")}


@pytest.mark.parametrize(
    "indicator",
    [
        "population", "mean_age", "women_candidates_share", pytest.param("candidacy_rate", marks=OLDER_FIGURES), "forest_share",
        pytest.param("debt_ratio", marks=OLDER_FIGURES),
    ],
)  # fmt: skip
def test_an_indicator_has_the_values_of_the_real_pack(indicator: str, release: Path, cz_release: Path) -> None:
    compared = duckdb.execute(
        f"""select count(*), count(*) filter (where abs(d.obs_value - c.obs_value) > 1e-9 * abs(c.obs_value))
        from '{release}/parquet/indicator_values.parquet' as d
        inner join '{cz_release}/parquet/indicator_values.parquet' as c using (indicator, ref_area, time_period, sex)
        where indicator = '{indicator}' and d.obs_value is not null"""
    ).fetchall()[0]
    assert compared[0] >= 92
    assert compared[1] == 0
