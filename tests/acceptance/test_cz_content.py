"""The newer content of packs/cz against figures computed from the same files by other means, and against official totals.

Holds what a release promises on planning data before 2013, age and sex, refugees, doctors, clubs, regional product, European funds and
Local Agenda 21. Needs the mirrored sources, and skips without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
import rdflib
from rdflib import DCAT, DCTERMS, RDF

from tests.support.command import MIRROR

pytestmark = pytest.mark.acceptance

RAW = MIRROR / "raw.githubusercontent.com"
PLANNING = "petrbouchal/ElectionsCZ/*/data-socec/obce{year}.csv"

# indicator, its numerator, its denominator and its multiplier in the columns of the planning data of 2007 to 2010
PLANNED = {
    "birth_rate": ("ZiveNarozeni", "PocetObyv", 1000),
    "net_migration": ("MigraceSaldo", "PocetObyv", 1000),
    "ageing_index": ("Over65", "Under15", 100),
    "old_age_dependency": ("Over65", "Pocet15az64", 100),
    "unemployed_share": ("UchazeciOPraciDosazitelni", "Pocet15az64", 100),
    "dwellings_completed": ("BytyDokoncene", "PocetObyv", 1000),
    "forest_share": ("LesniPudaHa", "VymeraHa", 100),
    "arable_share": ("OrnaPudaHa", "VymeraHa", 100),
    "built_up_area_per_inhabitant": ("ZastavenePlochyHa", "PocetObyv", 10_000),
}

# the medians of the files in 2007 to 2010; the release adds municipalities that were made of military areas later
MEDIANS = {
    "birth_rate": (10.36, 10.69, 10.62, 10.53),
    "net_migration": (8.13, 7.65, 5.31, 5.24),
    "ageing_index": (98.3, 100.0, 101.2, 102.1),
    "old_age_dependency": (20.7, 21.1, 21.5, 21.9),
    "unemployed_share": (4.17, 4.38, 7.24, 7.65),
    "forest_share": (23.98, 23.99, 24.0, 24.01),
    "arable_share": (47.71, 47.61, 47.45, 47.36),
    "artificial_land_share": (7.60, 7.63, 7.66, 7.71),
    "built_up_area_per_inhabitant": (253.7, 250.7, 249.4, 247.3),
}

# births, deaths, net migration and hectares of the state: the official totals
TOTALS = {
    "2007": (114_632, 104_636, 83_945, 7_886_668.6),
    "2008": (119_570, 104_948, 71_790, 7_886_519.1),
    "2009": (118_348, 107_421, 28_344, 7_886_492.6),
    "2010": (117_153, 106_844, 15_648, 7_886_536.4),
}

# indicator, period, level, sex, areas with a value, their median, half of the last digit it is known to
FIGURES = [
    ("ageing_index_by_sex", "2020", "lau", "_T", 6251, 121.4, 0.05),
    ("ageing_index_by_sex", "2020", "lau", "M", 6242, 104.2, 0.05),
    ("ageing_index_by_sex", "2020", "lau", "F", 6233, 138.5, 0.05),
    ("gp_distance", "2026", "lau", "_T", 6254, 3.0, 0.05),
    ("doctors_per_10000", "2024", "okres", "_T", 76, 5.68, 0.005),
    ("gp_65_plus_share", "2024", "okres", "_T", 76, 29.35, 0.05),
    ("refugees_per_100", "2026", "lau", "_T", 6254, 0.70, 0.005),
    ("sport_club_members", "2013", "okres", "_T", 77, 12.6, 0.05),
]

# indicator, period, sex, numerator and denominator of the state
STATE = [
    ("seniors_share", "2020", "_T", 2_158_322, 10_701_777),
    ("seniors_share", "2020", "F", 1_248_871, 838_804 + 3_338_999 + 1_248_871),
    ("children_share", "2020", "_T", 1_719_741, 10_701_777),
    ("children_share", "2020", "F", 838_804, 838_804 + 3_338_999 + 1_248_871),
    ("ageing_index_by_sex", "2020", "_T", 2_158_322, 1_719_741),
    ("doctors_per_10000", "2024", "_T", 5_436, 9_355_876),
    ("refugees_per_100", "2026", "_T", 386_655, 10_524_167),  # the official number of the census of 2021
    ("women_among_refugees_share", "2026", "_T", 208_309, 386_655),
    ("sport_club_members", "2013", "_T", 1_297_898, 10_512_419),
]

# money of the European funds: numerator and denominator of the state in thousand million CZK
FUNDS = [
    ("green_investment_share", "2016", 5.5, 11.37),
    ("green_investment_share", "2017", 10.4, 42.35),
    ("green_investment_share", "2018", 16.9, 73.61),
    ("green_investment_share", "2019", 13.6, 77.92),
    ("green_investment_share", "2020", 14.2, 90.37),
    ("green_investment_share", "2021", 17.7, 33.42),
    ("eu_energy_share_2007", "2017", 100 * 33.16 / 707.69, 707.69),
    ("integrated_urban_projects_share", "2017", 100 * 26.11 / 707.69, 707.69),
]


@pytest.fixture(scope="module")
def values(cz_release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The table of values of the release, under its own name."""
    path = str(cz_release / "parquet" / "indicator_values.parquet").replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute(f"create view indicator_values as select * from read_parquet('{path}')")
        yield connection


def planning(year: str) -> pl.DataFrame:
    """Return the planning data of a year; an empty cell is no dwelling."""
    frame = pl.read_csv(next(RAW.glob(PLANNING.format(year=year))), infer_schema=False)
    numbers = [pl.col(name).cast(pl.Float64).fill_null(0) for name in {n for parts in PLANNED.values() for n in parts[:2]}]
    return frame.with_columns(numbers)


@pytest.mark.parametrize("year", TOTALS)
def test_planning_data_of_a_year_are_those_of_its_file(values: duckdb.DuckDBPyConnection, year: str) -> None:
    frame = planning(year)
    query = """
        select substr(ref_area, 4), obs_value from indicator_values
        where indicator = ? and time_period = ? and level = 'lau' and sex = '_T' and obs_status = 'A'
    """
    for indicator, (above, below, factor) in PLANNED.items():
        found = dict(values.execute(query, [indicator, year]).fetchall())
        valid = frame.filter(pl.col(below) > 0)
        expected = dict(zip(valid["KODOBCE"], valid[above] / valid[below] * factor, strict=True))
        assert len(found) > 6200
        assert found == pytest.approx({code: expected[code] for code in found}, rel=1e-9), indicator


@pytest.mark.parametrize("indicator", MEDIANS)
def test_medians_of_the_planning_data_hold(values: duckdb.DuckDBPyConnection, indicator: str) -> None:
    query = """
        select median(obs_value) from indicator_values
        where indicator = ? and time_period between '2007' and '2010' and level = 'lau' and sex = '_T' group by time_period order by time_period
    """
    medians = [row[0] for row in values.execute(query, [indicator]).fetchall()]
    assert medians == [pytest.approx(median, rel=3e-3) for median in MEDIANS[indicator]]


def test_municipalities_that_complete_dwellings_complete_as_many_as_the_files_say(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select median(obs_value) from indicator_values
        where indicator = 'dwellings_completed' and time_period in ('2007', '2008') and level = 'lau' and obs_value > 0
        group by time_period order by time_period
    """
    assert [row[0] for row in values.execute(query).fetchall()] == [pytest.approx(3.99, abs=0.01), pytest.approx(4.22, abs=0.01)]


@pytest.mark.parametrize("year", TOTALS)
def test_births_deaths_and_migration_of_the_state_are_the_official_ones(values: duckdb.DuckDBPyConnection, year: str) -> None:
    query = "select numerator, denominator from indicator_values where ref_area = 'CZ' and sex = '_T' and indicator = ? and time_period = ?"
    births, deaths, migration, hectares = TOTALS[year]
    [(born, people)] = values.execute(query, ["birth_rate", year]).fetchall()
    [(increase, _)] = values.execute(query, ["natural_increase", year]).fetchall()
    [(moved, _)] = values.execute(query, ["net_migration", year]).fetchall()
    [(_, land)] = values.execute(query, ["forest_share", year]).fetchall()
    assert (born, born - increase, moved) == (births, deaths, migration)
    assert land == pytest.approx(hectares, abs=0.05)
    assert people == planning(year)["PocetObyv"].sum()  # those of 31 December


def test_a_merged_municipality_is_part_of_its_successor(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select ref_area, time_period, numerator, obs_status from indicator_values
        where indicator = 'old_age_dependency' and ref_area in ('CZ_530255', 'CZ_530751') and time_period in ('2008', '2009') order by all
    """
    old = {row["KODOBCE"]: row["Over65"] for row in planning("2008").iter_rows(named=True)}
    new = {row["KODOBCE"]: row["Over65"] for row in planning("2009").iter_rows(named=True)}
    own = [row for row in values.execute(query).fetchall() if row[0] == "CZ_530751"]
    assert own == [("CZ_530751", "2008", old["530255"] + old["530751"], "E"), ("CZ_530751", "2009", new["530751"], "A")]


def test_numbers_that_follow_from_others_are_there(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select indicator, ref_area, round(numerator), obs_status from indicator_values
        where time_period = '2020' and (
            indicator = 'net_migration' and ref_area in ('CZ', 'CZ_554782', 'CZ_554821', 'CZ_582786')
            or indicator = 'stable_land_share' and ref_area in ('CZ_554782', 'CZ_582786')
        ) order by all
    """
    assert values.execute(query).fetchall() == [
        ("net_migration", "CZ", 26_927, "A"),
        ("net_migration", "CZ_554782", 40_582 - 30_867, "A"),
        ("net_migration", "CZ_554821", 4_069 - 6_016, "A"),
        ("net_migration", "CZ_582786", 10_322 - 9_112, "A"),
        ("stable_land_share", "CZ_554782", 11_891, "E"),
        # all land without arable land, hop gardens, built-up and other areas: built-up is 23,018 - 7,605 - 6,397 - 452 - 6,457
        ("stable_land_share", "CZ_582786", 23_018 - 4_968 - 0 - 2_107 - 6_457, "A"),
    ]


def test_every_region_and_the_state_have_migration_and_land(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select indicator, count(obs_value) from indicator_values
        where level in ('nuts3', 'nuts0') and time_period = '2020' and sex = '_T'
            and indicator in ('net_migration', 'stable_land_share', 'ecological_stability', 'water_area_share', 'artificial_land_share')
        group by indicator
    """
    assert {count for _, count in values.execute(query).fetchall()} == {15}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure[0]}-{figure[3]}")
def test_medians_are_those_of_the_files(values: duckdb.DuckDBPyConnection, figure: tuple[str, str, str, str, int, float, float]) -> None:
    indicator, period, level, sex, areas, median, half = figure
    query = """
        select count(obs_value), median(obs_value) from indicator_values
        where indicator = ? and time_period = ? and level = ? and sex = ? and age = '_T'
    """
    assert values.execute(query, [indicator, period, level, sex]).fetchall() == [(areas, pytest.approx(median, abs=half + 1e-9))]


@pytest.mark.parametrize(("indicator", "period", "sex", "numerator", "denominator"), STATE)
def test_sums_of_the_state_are_those_of_the_files(
    values: duckdb.DuckDBPyConnection, indicator: str, period: str, sex: str, numerator: float, denominator: float
) -> None:
    query = """
        select numerator, denominator from indicator_values
        where indicator = ? and time_period = ? and sex = ? and ref_area = 'CZ' and age = '_T'
    """
    assert values.execute(query, [indicator, period, sex]).fetchall() == [(numerator, denominator)]


@pytest.mark.parametrize(("indicator", "period", "share", "paid"), FUNDS)
def test_money_of_european_funds_is_that_of_the_files(
    values: duckdb.DuckDBPyConnection, indicator: str, period: str, share: float, paid: float
) -> None:
    query = "select obs_value, denominator / 1e9 from indicator_values where indicator = ? and time_period = ? and ref_area = 'CZ'"
    found = values.execute(query, [indicator, period]).fetchall()
    assert found == [(pytest.approx(share, abs=0.05), pytest.approx(paid, abs=0.006))]


def test_climate_shares_of_two_regions_hold(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select ref_area, obs_value from indicator_values
        where indicator = 'green_investment_share' and time_period = '2020' and ref_area in ('CZ010', 'CZ041')
    """
    assert dict(values.execute(query).fetchall()) == {"CZ010": pytest.approx(2.4, abs=0.05), "CZ041": pytest.approx(26.2, abs=0.05)}


def test_the_product_per_inhabitant_is_the_published_one(values: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select level, ref_area, obs_value, numerator from indicator_values where indicator = 'gdp_per_inhabitant' and time_period = '2024'"
    )
    rows = values.execute(query).fetchall()
    regions = {area: value for level, area, value, _ in rows if level == "nuts3"}
    assert len(regions) == 14
    assert (max(regions.values()), min(regions.values())) == (pytest.approx(1_567_946), pytest.approx(460_940))
    assert regions["CZ010"] == max(regions.values())
    assert regions["CZ041"] == min(regions.values())
    assert [numerator for level, _, _, numerator in rows if level == "nuts0"] == [8_058_158]


def test_nearly_all_inhabitants_have_a_doctor_within_five_kilometres(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select max(obs_value) filter (where indicator = 'gp_within_5_km_share' and ref_area = 'CZ'),
            quantile_cont(obs_value, 0.95) filter (where indicator = 'gp_distance' and level = 'lau')
        from indicator_values
    """
    assert values.execute(query).fetchall() == [(pytest.approx(94.77, abs=0.005), pytest.approx(7.3, abs=0.05))]


def test_municipalities_without_refugees_have_none_and_not_nothing(values: duckdb.DuckDBPyConnection) -> None:
    query = "select count(*) from indicator_values where indicator = 'refugees_per_100' and level = 'lau' and numerator = 0"
    assert values.execute(query).fetchall() == [(2046,)]


@pytest.mark.parametrize(
    ("indicator", "counts"),
    [
        ("agenda21_top_holders", {"2017": 5, "2018": 5, "2019": 5, "2020": 6, "2022": 6}),
        ("participatory_budgets_known", {"2018": 21, "2020": 46}),
    ],
)
def test_municipalities_on_lists_are_counted(values: duckdb.DuckDBPyConnection, indicator: str, counts: dict[str, int]) -> None:
    for level in ("nuts3", "nuts0"):
        query = "select time_period, sum(obs_value) from indicator_values where indicator = ? and level = ? group by time_period"
        assert dict(values.execute(query, [indicator, level]).fetchall()) == counts


def test_metropolitan_areas_have_inhabitants_in_every_year_that_they_show(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select time_period, count(obs_value) from indicator_values
        where indicator = 'metropolitan_population_share' and level = 'nuts3' group by time_period order by time_period
    """
    assert values.execute(query).fetchall() == [(year, 14) for year in ("2021", "2022", "2023", "2024")]


def test_inhabitants_of_2023_are_marked_as_counted_in_another_way(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select distinct indicator, obs_status from indicator_values
        where indicator in ('population', 'mean_age', 'women_share', 'population_density') and time_period = '2023' and obs_value is not null
        order by indicator
    """
    names = ("mean_age", "population", "population_density", "women_share")
    assert values.execute(query).fetchall() == [(name, "B") for name in names]


def test_what_military_areas_cannot_have_is_not_defined_and_says_why(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select indicator, obs_status, status_note from indicator_values where ref_area = 'CZ_555177' and sex = '_T' and (
            indicator in ('women_candidates_share', 'candidates_per_seat') and time_period = '2022'
            or indicator = 'expenditure_per_inhabitant' or indicator = 'voter_turnout_parliament' and time_period = '2017'
        ) order by indicator
    """
    assert values.execute(query).fetchall() == [
        ("candidates_per_seat", "Z", "council_candidates_1"),
        ("expenditure_per_inhabitant", "Z", "monitor_budgets_1"),
        ("voter_turnout_parliament", "Z", "turnout_parliament_2017_1"),
        ("women_candidates_share", "Z", "council_candidates_1"),
    ]


def test_a_share_of_nobody_is_not_defined(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select indicator, count(*) filter (where status_note = 'council_candidates_3') from indicator_values
        where indicator in ('women_candidates_share', 'young_candidates_share') and level = 'lau' and sex = '_T' and time_period = '2022'
            and obs_status = 'Z' group by indicator order by indicator
    """
    assert values.execute(query).fetchall() == [("women_candidates_share", 7), ("young_candidates_share", 7)]


def test_land_of_military_areas_is_not_divided_by_inhabitants(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select ref_area, obs_value is null, obs_status, status_note from indicator_values
        where indicator = 'forest_share' and time_period = '2010' and ref_area in ('CZ_500127', 'CZ_500194', 'CZ_545422') order by ref_area
    """
    assert values.execute(query).fetchall() == [
        ("CZ_500127", True, "O", "csu_planning_earlier_1"),
        ("CZ_500194", True, "O", "csu_planning_earlier_1"),
        ("CZ_545422", False, "E", "csu_planning_earlier_2"),
    ]


def test_notes_stand_on_normal_values_where_the_pack_says_so(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select obs_status, status_note, count(*) from indicator_values
        where indicator = 'population' and time_period in ('2022', '2024') and level = 'lau' and sex = '_T' group by all order by all
    """
    assert values.execute(query).fetchall() == [("A", "csu_population_1", 6258), ("B", None, 6258)]


def test_shares_and_differences_follow_from_the_values_of_municipalities(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select
            100.0 * count(*) filter (where indicator = 'gp_distance' and level = 'lau' and obs_value > 5)
                / count(*) filter (where indicator = 'gp_distance' and level = 'lau' and obs_value is not null),
            max(obs_value) filter (where indicator = 'gp_far_municipalities_share' and ref_area = 'CZ'),
            max(obs_value) filter (where indicator = 'unemployed_share' and ref_area = 'CZ042' and time_period = '2020')
                - max(obs_value) filter (where indicator = 'unemployed_share' and ref_area = 'CZ' and time_period = '2020'),
            max(obs_value) filter (where indicator = 'unemployed_share_to_state' and ref_area = 'CZ042' and time_period = '2020')
        from indicator_values
    """
    [(far, published_far, above, published_above)] = values.execute(query).fetchall()
    assert (published_far, published_above) == (pytest.approx(far), pytest.approx(above))
    assert published_above > 0


def test_shared_taxes_are_the_forecast_of_the_ministry(values: duckdb.DuckDBPyConnection) -> None:
    def of(indicator: str, period: str, level: str = "lau") -> tuple[int, float, float]:
        query = "select count(obs_value), median(obs_value), sum(numerator) from indicator_values where (indicator, time_period, level) = (?, ?, ?)"
        [row] = values.execute(query, [indicator, period, level]).fetchall()
        return row

    assert of("shared_taxes_per_inhabitant", "2026") == (6254, pytest.approx(22_971, abs=0.5), pytest.approx(346.4e6, rel=1e-4))
    assert of("employees_per_100", "2024")[:2] == (6254, pytest.approx(15.49, abs=0.005))
    [(share,)] = values.execute(
        "select obs_value from indicator_values where indicator = 'school_municipality_population_share' and level = 'nuts0'"
    ).fetchall()
    assert share == pytest.approx(93.68, abs=0.005)
    query = "select count(*) from indicator_values where indicator = 'population' and time_period = '2025'"
    assert values.execute(query).fetchall() == [(0,)], (
        "the inhabitants of 2025 would bring the licence of the file to all data sets of people"
    )


def test_only_what_is_made_from_the_shared_taxes_is_shared_alike(cz_release: Path) -> None:
    graph = rdflib.Graph().parse(cz_release / "catalog.ttl")
    licences: dict[str, set[str]] = {}
    for data_set in graph.subjects(RDF.type, DCAT.Dataset):
        for file in graph.objects(data_set, DCAT.distribution):
            of = "workbook" if "#xlsx-" in str(file) else str(data_set).rpartition("/")[2]  # the workbook has all indicators
            licences.setdefault(of, set()).add(str(graph.value(file, DCTERMS.license)).rpartition("/")[2])
    shared = {name for name, used in licences.items() if used == {"CC_BYSA_4_0"}}
    assert shared == {"shared_taxes", "cohesion", "release", "workbook"}
    assert {name for name, used in licences.items() if used == {"CC_BY_4_0"}} == set(licences) - shared
