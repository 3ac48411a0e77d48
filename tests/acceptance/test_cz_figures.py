"""The real pack against figures computed from the same files by other means: counts, medians, totals, roll-ups, scores, privacy.

Holds what a release of packs/cz promises its readers; nothing of how it is made. Needs the mirrored sources, and skips without them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.support.command import MIRROR, PROJECT

pytestmark = pytest.mark.acceptance

RAW = MIRROR / "raw.githubusercontent.com"
CANDIDATES = "DataRozhlas/kandidatky-obecni-data/*/{year}/{okres}/kandidati.tsv"
NOTICES = "KopyTKG/HACKITHON-2024/*/backend/testing/response_*.json"

# indicator, period, municipalities with a value, their median, half of the last digit it is known to
FIGURES = [
    ("mean_age", "2024", 6254, 42.64, 0.005),
    ("women_candidates_share", "2018", 6246, 32.0, 0.05),
    ("women_candidates_share", "2022", 6247, 33.3, 0.05),
    ("candidates_per_seat", "2018", 6253, 2.0, 0.05),
    ("candidates_per_seat", "2022", 6253, 2.0, 0.05),
    ("expenditure_per_inhabitant", "2019", 6254, 20_977, 0.5),
    ("ageing_index", "2020", 6251, 121.4, 0.05),  # without seven places where no child lives
    ("net_migration", "2020", 6254, 4.4, 0.05),
    ("natural_increase", "2020", 6254, -0.9, 0.05),
    ("forest_share", "2020", 6258, 24.5, 0.05),
    ("arable_share", "2020", 6258, 46.4, 0.05),
    ("persons_in_execution", "2023", 6254, 4.1, 0.05),
    ("long_job_seekers_share", "2023", 6254, 1.18, 0.005),
    ("population_change_5y", "2023", 6254, 2.8, 0.05),
    ("women_share", "2023", 6254, 49.7, 0.05),
    ("turnout_parliament", "2017", 6254, 63.64, 0.005),
    ("turnout_parliament", "2021", 6154, 68.7, 0.05),
]

# inhabitants of the state: total, men, women
INHABITANTS = {
    "2013": (10_516_125, 5_164_349, 5_351_776),
    "2014": (10_512_419, 5_162_380, 5_350_039),
    "2015": (10_538_275, 5_176_927, 5_361_348),
    "2016": (10_553_843, 5_186_330, 5_367_513),
    "2017": (10_578_820, 5_200_687, 5_378_133),
    "2018": (10_610_055, 5_219_791, 5_390_264),
    "2019": (10_649_800, 5_244_194, 5_405_606),
    "2020": (10_693_939, 5_271_996, 5_421_943),
    "2021": (10_701_777, 5_275_103, 5_426_674),
    "2022": (10_516_707, 5_183_775, 5_332_932),
    "2023": (10_827_529, 5_308_523, 5_519_006),
    "2024": (10_900_555, 5_342_610, 5_557_945),
}

# indicator, period, multiplier: published numerators and denominators are those before it
RATIOS = [
    ("women_share", "2023", 100),
    ("mean_age", "2021", 1),
    ("population_density", "2020", 1),
    ("ageing_index", "2020", 100),
    ("natural_increase", "2020", 1000),
    ("net_migration", "2020", 1000),
    ("women_candidates_share", "2022", 100),
    ("candidacy_rate", "2018", 1000),
    ("young_candidates_share", "2022", 100),
    ("candidates_per_seat", "2018", 1),
    ("candidate_lists", "2022", 1),
    ("expenditure_per_inhabitant", "2019", 1),
    ("debt_ratio", "2019", 100),
    ("forest_share", "2020", 100),
    ("built_up_area_per_inhabitant", "2020", 10_000),
    ("persons_in_execution", "2023", 100),
    ("early_school_leaving", "2023", 100),
    ("turnout_parliament", "2021", 100),
]

UAP = "petrbouchal/obce-covid19/*/data-transfer/uap_gis_obce.parquet"
BUDGETS = "petrbouchal/obce-covid19/*/data-transfer/indik_slctyr.parquet"
METROPOLITAN = "petrbouchal/obce-covid19/*/data-transfer/metropolitni_oblasti.parquet"

# indicators of the planning data: the value from the file's own columns
PLANNED = [
    ("youth_dependency", pl.col("U2a_4") / pl.col("U2a_5") * 100),
    (
        "ecological_stability",
        (pl.col("U37_11") + pl.col("U37_12") + pl.col("U37_13") + pl.col("U37_14") + pl.col("U37_16") + pl.col("U37_17"))
        / (pl.col("U37_9") + pl.col("U37_10") + pl.col("U37_18") + pl.col("U37_19")),
    ),
    ("artificial_land_share", (pl.col("U37_18") + pl.col("U37_19")) / pl.col("U37_7") * 100),
    ("grassland_share", pl.col("U37_14") / pl.col("U37_8") * 100),
    ("water_area_share", pl.col("U37_17") / pl.col("U37_7") * 100),
]
HEADS = [
    ("birth_rate", pl.col("U37_1") * 1000),
    ("residential_turnover", (pl.col("U37_3") + pl.col("U37_4")) * 1000),
    ("dwellings_completed", pl.col("U11_1") * 1000),
]

# towns of which the file of 2020 lost a number that follows from its others; of Praha it is an estimate
LOST = {"545481", "545511", "547336", "554481", "554782", "554791", "554821", "582786"}

NEW_IN_2016 = {"CZ_500101", "CZ_500127", "CZ_500135", "CZ_500151", "CZ_500160", "CZ_500194"}


@pytest.fixture(scope="module")
def tables(cz_release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of the release under their own names, read from its Parquet files."""
    with duckdb.connect() as connection:
        for file in sorted((cz_release / "parquet").glob("*.parquet")):
            path = str(file).replace("'", "''")
            connection.execute(f"create view {file.stem} as select * from read_parquet('{path}')")
        # municipalities and the regions they lie in, by the way of their ORP; the period's first day decides
        connection.execute(
            """
            create macro valid(first, last, day) as (first is null or first = '' or first <= day) and (last is null or day < last);
            create macro in_region(day) as table
                select a.ref_area, k.parent as region
                from areas as a
                join area_parents as p on p.ref_area = a.ref_area and valid(p.valid_from, p.valid_to, day)
                join areas as o on o.ref_area = p.parent and o.level = 'orp'
                join area_parents as k on k.ref_area = o.ref_area and valid(k.valid_from, k.valid_to, day)
                where a.level = 'lau' and valid(a.valid_from, a.valid_to, day);
            """
        )
        yield connection


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure[0]}-{figure[1]}")
def test_municipal_medians_are_those_computed_from_the_files_by_other_means(
    tables: duckdb.DuckDBPyConnection, figure: tuple[str, str, int, float, float]
) -> None:
    indicator, period, municipalities, median, half = figure
    query = """
        select count(obs_value), median(obs_value) from indicator_values
        where indicator = ? and time_period = ? and level = 'lau' and sex = '_T' and age = '_T'
    """
    found, middle = tables.execute(query, [indicator, period]).fetchall()[0]
    assert (found, middle) == (municipalities, pytest.approx(median, abs=half + 1e-9))


def published(tables: duckdb.DuckDBPyConnection, indicator: str, period: str) -> dict[str, float]:
    """Return the values of municipalities by their code."""
    query = """
        select substr(ref_area, 4), obs_value from indicator_values
        where indicator = ? and time_period = ? and level = 'lau' and sex = '_T' and age = '_T' and obs_value is not null
    """
    return dict(tables.execute(query, [indicator, period]).fetchall())


def raw(pattern: str) -> pl.DataFrame:
    return pl.read_parquet(next(RAW.glob(pattern)))


def computed(frame: pl.DataFrame, value: pl.Expr) -> dict[str, float]:
    """Return a value for each municipality of the planning data that has one."""
    found = frame.select(pl.col("KODOBCE").cast(pl.Int64).cast(pl.String).alias("code"), value.alias("value"))
    found = found.filter(pl.col("value").is_finite()).drop_nulls()
    return dict(zip(found["code"], found["value"], strict=True))


@pytest.mark.parametrize(("indicator", "value"), PLANNED, ids=[name for name, _ in PLANNED])
def test_indicators_of_the_planning_data_are_ratios_of_its_columns(
    tables: duckdb.DuckDBPyConnection, indicator: str, value: pl.Expr
) -> None:
    found, expected = published(tables, indicator, "2020"), computed(raw(UAP), value)
    assert {code: found[code] for code in expected} == pytest.approx(expected, rel=1e-9)
    assert found.keys() - expected.keys() <= LOST
    assert found.keys() >= LOST


@pytest.mark.parametrize(("indicator", "count"), HEADS, ids=[name for name, _ in HEADS])
def test_counts_of_the_planning_data_are_over_the_inhabitants_of_1_january(
    tables: duckdb.DuckDBPyConnection, indicator: str, count: pl.Expr
) -> None:
    people = published(tables, "population", "2020")
    expected = {code: amount / people[code] for code, amount in computed(raw(UAP), count).items() if people[code]}
    assert published(tables, indicator, "2020") == pytest.approx(expected, rel=1e-9)


def test_confidential_beds_are_no_zeros_and_no_gaps(tables: duckdb.DuckDBPyConnection) -> None:
    beds = raw(UAP).select(pl.col("KODOBCE").cast(pl.Int64).cast(pl.String).alias("code"), "U17_2")
    secret = {f"CZ_{code}" for code in beds.filter(pl.col("U17_2") == "i.d.")["code"]}
    query = "select ref_area from indicator_values where indicator = 'accommodation_beds' and level = 'lau' and obs_status = 'C'"
    assert {area for (area,) in tables.execute(query).fetchall()} == secret
    assert len(secret) == 1400
    praha = tables.execute("select numerator from indicator_values where indicator = 'accommodation_beds' and ref_area = 'CZ_554782'")
    assert praha.fetchall() == [(102_118.0,)]


def test_budget_ratios_are_those_of_the_files_own_columns(tables: duckdb.DuckDBPyConnection) -> None:
    # 'likvidita' and 'podil_cizich_zdroju' are computed by the source itself
    frame = raw(BUDGETS).filter(pl.col("zuj") != "")
    for indicator, column, factor in (("liquidity", "likvidita", 1), ("liabilities_share", "podil_cizich_zdroju", 100)):
        own = {z: v * factor for z, v in zip(frame["zuj"], frame[column], strict=True) if v is not None}
        shown = {
            z: v for z, v in published(tables, indicator, "2019").items() if f"CZ_{z}" not in NEW_IN_2016
        }  # the file has no code of those
        assert shown == pytest.approx({z: own[z] for z in shown}, rel=1e-9)
        assert len(shown) >= 6247
    growth = {z: (now - then) / then * 100 for z, now, then in frame.select("zuj", "p0", "p3").iter_rows() if then}
    shown = {z: v for z, v in published(tables, "revenue_growth_3y", "2019").items() if f"CZ_{z}" not in NEW_IN_2016}
    assert shown == pytest.approx({z: growth[z] for z in shown}, rel=1e-9)


def test_candidates_are_counted_as_the_files_list_them(tables: duckdb.DuckDBPyConnection) -> None:
    files = sorted(RAW.glob(CANDIDATES.format(year="2022", okres="kladno")))
    frame = pl.read_csv(files[0], separator="\t", infer_schema=False, quote_char=None).filter(pl.col("PLATNOST") == "A")
    of_town = frame.filter(pl.col("KODZASTUP") == "532053")
    query = "select obs_value from indicator_values where indicator = 'nonparty_candidates_share' and ref_area = 'CZ0203' and time_period = '2022'"
    assert tables.execute(query).fetchall()[0][0] == pytest.approx(100 * frame.filter(pl.col("PSTRANA") == "99").height / frame.height)
    leaders = of_town.filter(pl.col("PORCISLO") == "1")
    assert published(tables, "women_list_leaders_share", "2022")["532053"] == pytest.approx(
        100 * leaders.filter(pl.col("POHLAVI") == "F").height / leaders.height
    )
    shares = [published(tables, "women_candidates_share", year)["532053"] for year in ("2018", "2022")]
    assert published(tables, "women_candidates_change", "2022")["532053"] == pytest.approx(shares[1] - shares[0])


def test_memberships_are_shares_of_municipalities_and_of_people(tables: duckdb.DuckDBPyConnection) -> None:
    members = set(raw(METROPOLITAN)["zuj"].cast(pl.Int64).cast(pl.String))
    people = published(tables, "population", "2023")
    query = "select obs_value from indicator_values where indicator = ? and ref_area = 'CZ' and time_period = '2023'"
    shares = [tables.execute(query, [i]).fetchall()[0][0] for i in ("metropolitan_members_share", "metropolitan_population_share")]
    assert shares[0] == pytest.approx(100 * len(members) / 6258)
    assert shares[1] == pytest.approx(100 * sum(people[m] for m in members) / sum(people.values()))


def test_municipalities_made_of_military_areas_have_a_past(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select ref_area, obs_value, obs_status from indicator_values
        where indicator = 'population' and sex = '_T' and time_period = '2015' and ref_area in
            ('CZ_503941', 'CZ_500135', 'CZ_500151', 'CZ_500160', 'CZ_500194', 'CZ_545422')
    """
    found = {area: (value, status) for area, value, status in tables.execute(query).fetchall()}
    # 972 people of Libavá by the 273, 104 and 552 of a year later; the 293 of Boletice all in Polná
    shares = {"CZ_500135": 273, "CZ_500151": 104, "CZ_500160": 552, "CZ_503941": 0}
    expected = {area: (pytest.approx(972 * share / 929, rel=1e-9), "E") for area, share in shares.items()}
    assert found == {**expected, "CZ_500194": (293, "E"), "CZ_545422": (0, "E")}


@pytest.mark.parametrize(("year", "municipalities"), [("2013", 6253), ("2015", 6253), ("2016", 6258), ("2023", 6258)])
def test_every_municipality_of_the_year_is_there(tables: duckdb.DuckDBPyConnection, year: str, municipalities: int) -> None:
    query = "select list(ref_area) from areas where level = 'lau' and valid(valid_from, valid_to, ?)"
    found = set(tables.execute(query, [f"{year}-01-01"]).fetchall()[0][0])
    assert len(found) == municipalities
    assert found >= NEW_IN_2016 if year >= "2016" else not NEW_IN_2016 & found
    assert ("CZ_539996" in found) == (year < "2016")


def test_the_territory_is_whole(tables: duckdb.DuckDBPyConnection) -> None:
    levels = dict(tables.execute("select level, count(*) from areas group by level").fetchall())
    assert levels == {"lau": 6260, "orp": 206, "okres": 77, "nuts3": 14, "nuts0": 1}
    lacking = """
        select count(*) from areas as a
        where a.level = 'lau' and (select count(*) from area_parents as p where p.ref_area = a.ref_area) <> 2
    """
    assert tables.execute(lacking).fetchall() == [(0,)]
    without_point = "select list(ref_area) from areas where level = 'lau' and (lat is null or lon is null or name is null)"
    assert tables.execute(without_point).fetchall() == [(["CZ_530255"],)]  # Nemíž, merged in 2009
    brno = tables.execute("select list(parent order by parent) from area_parents where ref_area = 'CZ_582786'").fetchall()
    assert brno == [(["CZ0642", "CZ_ORP_6203"],)]


def test_no_ratio_over_nobody_is_published_as_zero(tables: duckdb.DuckDBPyConnection) -> None:
    query = "select indicator, obs_status, count(*) from indicator_values where denominator = 0 and time_period >= '2020' group by all"
    statuses = {(indicator, status): n for indicator, status, n in tables.execute(query).fetchall()}
    assert statuses["ageing_index", "Z"] == 7  # villages without children
    assert statuses["persons_in_execution", "Z"] == 4
    assert {status for _, status in statuses} == {"Z"}


@pytest.mark.parametrize("year", INHABITANTS)
def test_inhabitants_of_the_state_are_those_of_its_regions_and_of_its_municipalities(tables: duckdb.DuckDBPyConnection, year: str) -> None:
    query = """
        select level, sex, sum(obs_value) from indicator_values
        where indicator = 'population' and time_period = ? group by level, sex
    """
    found: dict[str, dict[str, float]] = {}
    for level, sex, value in tables.execute(query, [year]).fetchall():
        found.setdefault(level, {})[sex] = value
    expected = dict(zip(("_T", "M", "F"), INHABITANTS[year], strict=True))
    # municipalities made of military areas have a past in fractions of people
    assert sorted(found) == sorted(("lau", "orp", "okres", "nuts3", "nuts0"))
    assert all(by_sex == pytest.approx(expected, rel=1e-12) for by_sex in found.values())


@pytest.mark.parametrize(("indicator", "period", "multiplier"), RATIOS)
def test_an_indicator_of_a_region_is_the_ratio_of_the_sums_of_its_municipalities(
    tables: duckdb.DuckDBPyConnection, indicator: str, period: str, multiplier: float
) -> None:
    query = """
        with children as (
            select t.region, v.sex, sum(v.numerator) as numerator, sum(v.denominator) as denominator
            from indicator_values as v
            join in_region(? || '-01-01') as t on t.ref_area = v.ref_area
            where v.indicator = ? and v.time_period = ? and v.numerator is not null and v.denominator is not null
            group by t.region, v.sex
        )
        select v.obs_value, v.obs_status, v.numerator, v.denominator, c.numerator, c.denominator
        from indicator_values as v
        left join children as c on c.region = v.ref_area and c.sex = v.sex
        where v.indicator = ? and v.time_period = ? and v.level = 'nuts3'
    """
    rows = tables.execute(query, [period, indicator, period, indicator, period]).fetchall()
    assert len(rows) >= 14
    for value, status, numerator, denominator, below, over in rows:
        if below is None:  # no municipality of the region has a value
            assert value is None
            continue
        assert (numerator, denominator) == (pytest.approx(below, rel=1e-9), pytest.approx(over, rel=1e-9))
        assert (value is None) == (status == "L")
        if value is not None:
            assert value == pytest.approx(multiplier * below / over, rel=1e-9)
    assert any(row[0] is not None for row in rows)


def test_cities_known_only_by_their_districts_lower_the_coverage_of_their_region(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select obs_value, obs_status, coverage < 0.9 from indicator_values
        where indicator = 'turnout_parliament' and time_period = '2021' and ref_area = 'CZ064'
    """
    assert tables.execute(query).fetchall() == [(None, "L", True)]


def test_a_change_over_the_census_is_marked_as_a_break(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select distinct time_period, obs_status from indicator_values
        where indicator = 'population_change_5y' and level = 'nuts3' and time_period in ('2021', '2023') order by all
    """
    assert tables.execute(query).fetchall() == [("2021", "A"), ("2023", "B")]


def test_notices_of_regional_bodies_are_counted_in_their_region(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select time_period, sum(obs_value) filter (where level = 'nuts3'), sum(obs_value) filter (where level = 'nuts0'), count(obs_value)
        from indicator_values where indicator = 'official_notices' group by time_period order by time_period
    """
    assert tables.execute(query).fetchall() == [("2023", 86, 86, 15), ("2024", 116, 116, 15)]


def test_at_least_sixty_indicators_over_all_objectives_have_data(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select i.objective, i.measure, i.field, i.indicator from indicators as i
        where exists (select 1 from indicator_values as v where v.indicator = i.indicator and v.obs_value is not null)
    """
    rows = tables.execute(query).fetchall()
    assert len(rows) >= 60
    assert {row[0] for row in rows} == {"ZPO2-1", "ZPO2-2", "ZPO2-3", "ZPO3-1", "ZPO3-3"}
    assert {"1", "4", "5", "6", "8"} <= {str(row[1]) for row in rows if row[0] == "ZPO2-2"}
    assert {row[2] for row in rows if row[0] == "ZPO2-3"} == {"economic", "environmental", "social"}


def test_every_measure_of_the_objectives_is_represented(tables: duckdb.DuckDBPyConnection) -> None:
    found = set(tables.execute("select distinct objective, measure from indicators where measure is not null").fetchall())
    assert found >= {("ZPO2-2", str(m)) for m in range(1, 9)} | {("ZPO2-3", str(m)) for m in range(1, 7)}
    assert found >= {("ZPO3-1", str(m)) for m in range(1, 5)}


def test_the_page_of_indicators_tells_the_coverage_of_the_real_run(cz_release: Path) -> None:
    sys.path.insert(0, str(PROJECT))
    from docs import indicator_page

    def without_period(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        # a register is counted up to the year of its snapshot, which is another one next year
        return [{k: v for k, v in row.items() if k != "time_period"} for row in rows]

    assert without_period(indicator_page.committed_coverage()) == without_period(indicator_page.read_coverage(cz_release))


def test_an_indicator_without_data_is_only_in_indicators_and_coverage(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select count(distinct i.indicator), count(distinct v.indicator), count(distinct c.indicator), sum(c.available)
        from indicators as i
        left join indicator_values as v on v.indicator = i.indicator
        left join coverage as c on c.indicator = i.indicator
        where i.needed is not null
    """
    declared, published, covered, available = tables.execute(query).fetchall()[0]
    assert declared == covered >= 40
    assert (published, available) == (0, 0)


def test_municipalities_have_scores(tables: duckdb.DuckDBPyConnection) -> None:
    for table, index, components in (
        ("community", "community", {"participation", "equality"}),
        ("sustainability", "sustainability", {"economic", "environmental", "social"}),
    ):
        query = f'select component, count(score), min(score), max(score) from {table} where "index" = ? group by component'
        found = {component: rest for component, *rest in tables.execute(query, [index]).fetchall()}
        assert set(found) == components | {index}
        assert all(scored >= 5500 and lowest >= 0 and highest <= 100 for scored, lowest, highest in found.values()), found


def test_municipalities_without_candidates_have_none_and_no_rank(tables: duckdb.DuckDBPyConnection) -> None:
    """In 2022 nobody stood for the council of seven municipalities, Líšná (514802) and Buková (546372) among them."""
    query = """
        select ref_area, obs_status from indicator_values
        where indicator = 'candidates_per_seat' and time_period = '2022' and obs_value = 0 order by ref_area
    """
    nobody = dict(tables.execute(query).fetchall())
    assert len(nobody) == 7
    assert set(nobody.values()) == {"A"}
    assert {"CZ_514802", "CZ_546372"} <= set(nobody)
    scores = tables.execute("select score, rank from community where component = 'community' and ref_area in ?", [list(nobody)]).fetchall()
    assert set(scores) == {(None, None)}


def test_no_rank_or_normal_status_comes_from_partial_data(tables: duckdb.DuckDBPyConnection) -> None:
    for table in ("community", "sustainability"):
        query = f"""
            select
                count(*), count(rank), count(fifth), count(*) filter (where obs_status = 'A'),
                count(distinct ref_area) filter (where score is not null)
            from {table} where n_available < n_expected
        """
        partial, ranked, in_fifths, normal, scored = tables.execute(query).fetchall()[0]
        assert partial > 0
        assert (ranked, in_fifths, normal) == (0, 0, 0)
        assert scored < 110
    query = "select count(*) from sustainability where component = 'sustainability' and n_available < n_expected and obs_status <> 'E' and score > 0"
    assert tables.execute(query).fetchall() == [(0,)]


def test_no_score_of_sustainability_lacks_a_field(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select count(*) filter (where i.score is not null), bool_and(f.score is not null) filter (where i.score is not null)
        from sustainability as i
        join sustainability as f using ("index", ref_area, time_period)
        where i.component = 'sustainability' and f.component in ('economic', 'environmental', 'social')
    """
    scored, have_all_fields = tables.execute(query).fetchall()[0]
    assert scored > 3 * 6000
    assert have_all_fields


def test_indices_are_shown_in_fifths_and_say_why(cz_release: Path, tables: duckdb.DuckDBPyConnection) -> None:
    rows = tables.execute('select "index", rankable, alpha, rank_interval_share, note_en, note_cs from indices').fetchall()
    assert {row[0] for row in rows} == {"community", "sustainability"}
    readme = (cz_release / "README.md").read_text(encoding="utf-8")
    for index, rankable, alpha, share, note, note_cs in rows:
        assert (rankable, -1 < alpha < 1, share > 0.25) == ("false", True, True)
        assert f"{100 * share:.0f} % of all ranks" in note
        assert note_cs.startswith("Uvádí se jen pětina")
        assert f"| `{index}` | " in readme
        assert f"| fifth | {note} |" in readme
    sizes = tables.execute(
        "select fifth, count(*) from community where component = 'community' and rank > 0 group by 1 order by 1"
    ).fetchall()
    assert [fifth for fifth, _ in sizes] == [1, 2, 3, 4, 5]
    assert max(n for _, n in sizes) - min(n for _, n in sizes) < 50


def test_land_shares_of_the_state_are_covered_by_surface(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select indicator, obs_status, coverage from indicator_values
        where ref_area = 'CZ' and indicator in ('stable_land_share', 'artificial_land_share', 'ecological_stability', 'water_area_share')
        and time_period = '2020'
    """
    rows = tables.execute(query).fetchall()
    assert len(rows) == 4
    assert all(status != "L" and coverage > 0.98 for _, status, coverage in rows), rows


def test_progress_is_not_assessed_where_growth_says_nothing(tables: duckdb.DuckDBPyConnection) -> None:
    query = "select indicator, list(distinct coalesce(reason, '')), count(score) from progress group by indicator"
    found = {indicator: (set(reasons), scored) for indicator, reasons, scored in tables.execute(query).fetchall()}
    for indicator in ("population_change_5y", "population_growth_3y"):
        assert found[indicator][1] == 0
        assert "change" in found[indicator][0]
    assert found["candidacy_rate"][1] == 0  # the census lies between
    assert "break" in found["candidacy_rate"][0]
    query = """
        select count(*), count(*) filter (where reason = 'nothing_to_achieve') from progress
        where indicator = 'sex_split_coverage' and sex = '_T'
    """
    rows, achieved = tables.execute(query).fetchall()[0]
    assert achieved > 0.98 * rows


def test_municipalities_are_compared_inside_every_area_above_them(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select a.level, count(distinct d."within") from cohesion_dispersion as d join areas as a on a.ref_area = d."within"
        where d.indicator = 'mean_age' and d.time_period = '2023' and d.of_level = 'lau' group by a.level
    """
    assert dict(tables.execute(query).fetchall()) == {"orp": 206, "okres": 77, "nuts3": 14, "nuts0": 1}


def test_women_and_men_are_compared(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select female, male, difference from gender_gaps
        where indicator = 'population' and ref_area = 'CZ' and time_period = '2023'
    """
    _, men, women = INHABITANTS["2023"]
    assert tables.execute(query).fetchall() == [(women, men, women - men)]
    split = {row[0] for row in tables.execute("select distinct indicator from gender_gaps").fetchall()}
    assert {"mean_age", "candidacy_rate", "young_candidates_share"} <= split


def personal_texts() -> list[str]:
    """Return full names of candidates and long titles of notices, as they stand in the files."""
    texts = []
    for year, okres in (("2018", "benesov"), ("2018", "znojmo"), ("2022", "praha"), ("2022", "jesenik")):
        for file in RAW.glob(CANDIDATES.format(year=year, okres=okres)):
            frame = pl.read_csv(file, separator="\t", infer_schema=False, quote_char=None).head(100)
            texts += [f"{first} {last}" for first, last in frame.select("JMENO", "PRIJMENI").iter_rows()]
    for file in RAW.glob("DataRozhlas/kandidatky-kraje/*/public/data/*/kand.tsv"):
        frame = pl.read_csv(file, separator="\t", infer_schema=False, quote_char=None).head(100)
        texts += [f"{first} {last}" for first, last in frame.select("JMENO", "PRIJMENI").iter_rows()]
    for file in RAW.glob("skvrnami/mayors2/*/output/soucasni_starostove_hejtmani.csv"):
        texts += pl.read_csv(file, infer_schema=False, null_values="NA")["osoba_jmeno"].drop_nulls().head(200).to_list()
    for file in RAW.glob(NOTICES):
        boards = json.loads(file.read_text(encoding="utf-8"))
        titles = [notice["název"]["cs"] for board in boards for notice in board["informace"]]
        texts += [title for title in titles if len(title) >= 30]
    return texts


def test_no_name_of_a_candidate_and_no_title_of_a_notice_is_published(cz_release: Path, tables: duckdb.DuckDBPyConnection) -> None:
    texts = personal_texts()
    assert len(texts) > 1000

    def published() -> Iterator[pl.Series]:
        for file in sorted((cz_release / "parquet").glob("*.parquet")):
            columns = tables.execute(f"select column_name from (describe {file.stem}) where column_type = 'VARCHAR'").fetchall()
            for (column,) in columns:
                yield tables.execute(f'select distinct "{column}" from {file.stem} where "{column}" is not null').pl().to_series()
        for file in sorted(cz_release.rglob("*")):
            if file.is_file() and file.suffix in (".json", ".jsonld", ".ttl", ".md", ".txt"):
                yield pl.Series([file.read_text(encoding="utf-8")])

    texts.append(town := "Kostelec nad Černými lesy")  # which is published, so the search finds what is there
    rows = (row for values in published() for row in values.str.extract_many(texts, overlapping=True).drop_nulls())
    assert {text for row in rows for text in row} == {town}
