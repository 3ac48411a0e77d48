"""Elections and persons in the real pack: figures computed from the same files by other means. Skips without the mirrored sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.support.command import MIRROR

pytestmark = pytest.mark.acceptance

RAW = MIRROR / "raw.githubusercontent.com"

# indicator, period, municipalities with a value, their median, half of the last digit it is known to.
# For 2010 and 2013 the municipalities made of military areas are there, too, with the votes of those areas.
MEDIANS = [
    ("turnout_council", "2014", 6235, 61.17, 0.005),
    ("turnout_council", "2018", 6237, 60.81, 0.005),
    ("women_councillors_share", "2018", 6237, 28.57, 0.005),
    ("voter_turnout_parliament", "2010", 6253, 65.39, 0.006),
    ("voter_turnout_parliament", "2017", 6254, 64.08, 0.006),
    ("voter_turnout_president", "2013", 6256, 66.13, 0.005),
    ("voter_turnout_president", "2018", 6254, 66.16, 0.005),
    ("voter_turnout_president", "2023", 6254, 72.80, 0.005),
    ("voter_turnout_president_round_2", "2013", 6256, 62.67, 0.007),
    ("voter_turnout_president_round_2", "2018", 6254, 70.32, 0.005),
    ("voter_turnout_president_round_2", "2023", 6254, 73.74, 0.005),
    ("turnout_president", "2013", 6256, 65.84, 0.005),
    ("turnout_president", "2018", 6254, 65.75, 0.005),
    ("turnout_president", "2023", 6254, 72.17, 0.005),
    ("turnout_president_round_2", "2013", 6256, 62.33, 0.007),
    ("turnout_president_round_2", "2018", 6254, 70.16, 0.005),
    ("turnout_president_round_2", "2023", 6254, 73.34, 0.005),
    ("candidates_per_seat", "2010", 6242, 2.0, 0.05),
    ("candidates_per_seat", "2014", 6247, 2.0, 0.05),
    ("women_candidates_share", "2010", 6245, 29.63, 0.005),
    ("women_candidates_share", "2014", 6241, 31.25, 0.005),
]

# indicator, period, area, the sums over the state or the region, the value in per cent
SUMS = [
    ("turnout_council", "2014", "CZ", 3_733_089, 8_406_047, 44.41),
    ("turnout_council", "2018", "CZ", 3_950_860, 8_345_081, 47.34),
    ("turnout_council", "2018", "CZ042", None, None, 40.3),
    ("turnout_council", "2018", "CZ063", None, None, 53.8),
    # those of whole municipalities, and of Lišov, which is elected in districts
    ("women_councillors_share", "2018", "CZ", 16_602 + 4, 59_310 + 21, 27.99),
    ("women_councillors_share", "2018", "CZ_544779", 4, 21, None),
    ("women_councillors_share", "2018", "CZ010", None, None, 21.5),
    ("women_councillors_share", "2018", "CZ042", None, None, 31.6),
    ("women_councillors_share", "2018", "CZ063", None, None, 23.4),
    ("young_councillors_share", "2018", "CZ", None, 59_310 + 21, 12.44),
    ("women_candidates_share", "2018", "CZ", None, None, 32.84),
    ("voter_turnout_parliament", "2010", "CZ", 5_259_876, 8_405_225, 62.58),
    ("voter_turnout_president", "2013", "CZ", None, None, 61.31),
    ("voter_turnout_president_round_2", "2013", "CZ", None, None, 59.10),
    ("voter_turnout_president", "2018", "CZ", None, None, 61.89),
    ("voter_turnout_president_round_2", "2018", "CZ", None, None, 66.56),
    ("voter_turnout_president", "2023", "CZ", None, None, 68.23),
    ("women_mayors_share", "2023-03", "CZ", None, 6043, 27.37),
    ("women_mayors_share", "2024-01", "CZ", None, 6090, 27.42),
    ("women_mayors_share", "2025-01", "CZ", None, 6097, 27.24),
    ("women_mayors_share", "2026-01", "CZ", None, 6113, 27.35),
    ("women_mayors_share", "2026-06", "CZ", None, 6126, 27.31),
    ("women_regional_councillors_share", "2000", "CZ", 97, 675, None),
    ("women_regional_councillors_share", "2004", "CZ", 103, 675, None),
    ("women_regional_councillors_share", "2008", "CZ", 119, 675, None),
    ("women_regional_councillors_share", "2012", "CZ", 134, 675, None),
    ("women_regional_councillors_share", "2016", "CZ", 137, 675, None),
    ("women_regional_councillors_share", "2020", "CZ", 149, 675, None),
    ("women_regional_councillors_share", "2024", "CZ", 145, 685, None),
]

# year: municipalities in which nobody stood for the council
WITHOUT_CANDIDATES = {"2010": 0, "2014": 7, "2018": 8, "2022": 7}


@pytest.fixture(scope="module")
def values(cz_release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The totals over sex and age of `indicator_values`."""
    path = str(cz_release / "parquet" / "indicator_values.parquet").replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute(f"create view v as select * from read_parquet('{path}') where sex = '_T' and age = '_T'")
        yield connection


@pytest.mark.parametrize("figure", MEDIANS, ids=lambda figure: f"{figure[0]}-{figure[1]}")
def test_medians_of_municipalities(values: duckdb.DuckDBPyConnection, figure: tuple[str, str, int, float, float]) -> None:
    indicator, period, municipalities, median, half = figure
    query = "select count(obs_value), median(obs_value) from v where indicator = ? and time_period = ? and level = 'lau'"
    [(count, middle)] = values.execute(query, [indicator, period]).fetchall()
    assert (count, middle) == (municipalities, pytest.approx(median, abs=half + 1e-9))


@pytest.mark.parametrize("figure", SUMS, ids=lambda figure: f"{figure[0]}-{figure[1]}-{figure[2]}")
def test_sums_over_the_state_and_regions(
    values: duckdb.DuckDBPyConnection, figure: tuple[str, str, str, int | None, int | None, float | None]
) -> None:
    indicator, period, area, numerator, denominator, share = figure
    query = "select numerator, denominator, obs_value from v where indicator = ? and time_period = ? and ref_area = ?"
    [(over, under, value)] = values.execute(query, [indicator, period, area]).fetchall()
    assert numerator is None or over == pytest.approx(numerator)
    assert denominator is None or under == pytest.approx(denominator)
    assert value is not None or share is None
    assert share is None or value == pytest.approx(share, abs=0.05 if round(share, 1) == share else 0.0051)


def test_voters_abroad_make_the_official_turnout_of_2017(values: duckdb.DuckDBPyConnection) -> None:
    """The pack counts people at home; with those who voted abroad, it is the turnout that the statistical office published."""
    file = next(RAW.glob("DataRozhlas/volby-geo-guesser/*/data/pst4.csv"))
    frame = pl.read_csv(file, separator=";", infer_schema=False)
    sums = frame.group_by(pl.col("OBEC") == "999997").agg(pl.col("VOL_SEZNAM", "VYD_OBALKY").cast(pl.Int64).sum())
    abroad, home = ({c: sums.filter(pl.col("OBEC") == side)[c][0] for c in ("VOL_SEZNAM", "VYD_OBALKY")} for side in (True, False))
    query = "select numerator, denominator from v where indicator = 'voter_turnout_parliament' and time_period = '2017' and ref_area = 'CZ'"
    assert values.execute(query).fetchall() == [(home["VYD_OBALKY"], home["VOL_SEZNAM"])]
    ballots, voters = home["VYD_OBALKY"] + abroad["VYD_OBALKY"], home["VOL_SEZNAM"] + abroad["VOL_SEZNAM"]
    assert (ballots, voters, round(100 * ballots / voters, 2)) == (5_094_633, 8_374_501, 60.84)


def test_nobody_stood_is_a_zero(values: duckdb.DuckDBPyConnection) -> None:
    query = "select time_period, count(*) filter (where obs_value = 0) from v where indicator = 'candidates_per_seat' and level = 'lau' group by 1"
    assert dict(values.execute(query).fetchall()) == WITHOUT_CANDIDATES
    query = (
        "select numerator, denominator from v where indicator = 'candidates_per_seat' and ref_area = 'CZ_593842' and time_period = '2022'"
    )
    assert values.execute(query).fetchall() == [(1, 9)]  # one list of one candidate, in the registers of candidates and of lists alike


def test_councils_without_women_and_with_a_majority_of_women(values: duckdb.DuckDBPyConnection) -> None:
    query = """
        select count(*) filter (where obs_value = 0), count(*) filter (where obs_value > 50)
        from v where indicator = 'women_councillors_share' and level = 'lau'
    """
    assert values.execute(query).fetchall() == [(439, 597)]


def test_mayors_and_party_members_are_not_published_by_municipality(values: duckdb.DuckDBPyConnection) -> None:
    query = "select distinct level from v where indicator in ('women_mayors_share', 'nonparty_candidates_share') order by 1"
    assert [level for (level,) in values.execute(query).fetchall()] == ["nuts0", "nuts3", "okres", "orp"]
