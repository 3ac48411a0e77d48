"""The pack of the Visegrad countries against the files it is made of, read again here by the plainest means: counts, codes, ages, totals.

Holds what a release of packs/v4 promises its readers; nothing of how it is made. Needs the mirrored sources, and skips without them.
The Slovak census is read with the csv module alone. The list of municipalities comes out of an R file with the pack's own reader, so its
figures are held against numbers that the statistical offices published.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.conftest import current_release
from tests.support.command import MIRROR, PROJECT, zpo2

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

CENSUS = "lukasondrejka/data-structures-census/*/data/{name}.csv"
MUNICIPALITIES = {"CZ": 6258, "HU": 3155, "PL": 2478, "SK": 2927}
INHABITANTS = {"CZ": 10_649_800, "HU": 9_772_756, "PL": 38_411_148, "SK": 5_450_421}  # 1 January 2019, as the offices published them
SURFACE = {"CZ": 78_871, "HU": 93_023, "PL": 312_696, "SK": 49_034}  # square kilometres
RESIDENTS = {"_T": 5_449_270, "M": 2_665_376, "F": 2_783_894}  # Slovakia, census of 2021
AGES = {"_T": range(101), "Y0T14": range(15), "Y15T64": range(15, 65), "Y_GE65": range(65, 101)}

# source: rows read, accepted
ROWS = {
    "hu_gazetteer": (3179, 3155),
    "hu_settlements": (3200, 3154),
    "lau_areas": (99_140, 14_818),
    "lau_population": (99_140, 14_818),
    "nuts_names": (168, 168),
    "nuts_regions": (12_272, 168),
    "sk_census_age": (8 * 2927, 8 * 2927),
    "sk_census_education": (2927, 2927),
    "sk_districts": (79, 79),
    "sk_municipalities": (2928, 2927),
    "sk_parliament_2020": (2927, 2926),
    "sk_regions": (8, 8),
}


@dataclass(frozen=True)
class Residents:
    """Men and women of one place by single years of age; the last is 100 and over."""

    men: list[int]
    women: list[int]

    def count(self, sex: str, ages: range) -> int:
        men, women = (sum(values[age] for age in ages) for values in (self.men, self.women))
        return {"M": men, "F": women, "_T": men + women}[sex]


@pytest.fixture(scope="session")
def v4_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of packs/v4, run here unless it is already current."""
    if not MIRROR.is_dir():
        pytest.skip(f"{MIRROR} does not exist: the real pack cannot be run offline")
    home = PROJECT / "data" / "v4"
    done = zpo2("run", "--pack", PROJECT / "packs" / "v4", "--home", home, ZPO2_MIRROR=str(MIRROR))
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture(scope="module")
def tables(v4_home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of the release under their own names, read from its Parquet files."""
    with duckdb.connect() as connection:
        for file in sorted((current_release(v4_home) / "parquet").glob("*.parquet")):
            path = str(file).replace("'", "''")
            connection.execute(f"create view {file.stem} as select * from read_parquet('{path}')")
        yield connection


@pytest.fixture(scope="module")
def census(v4_home: Path) -> dict[str, Residents]:
    """The census by its own codes: SK0101528595 is district SK0101 and municipality 528595."""
    rows = raw("vek")
    assert rows[0][2] == "muz (0)"
    assert rows[0][102:104] == ["muz (100+)", "zena (0)"]
    return {row[0]: Residents([int(cell) for cell in row[2:103]], [int(cell) for cell in row[103:]]) for row in rows[1:]}


def raw(name: str) -> list[list[str]]:
    """Return the rows of a file of the census, the header first."""
    (path,) = (MIRROR / "raw.githubusercontent.com").glob(CENSUS.format(name=name))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def by_area(census: dict[str, Residents], area: Callable[[str], str]) -> dict[str, list[Residents]]:
    found = defaultdict(list)
    for code, residents in census.items():
        found[area(code)].append(residents)
    return found


# the area of a census code, at each level
LEVELS: dict[str, Callable[[str], str]] = {
    "lau": lambda code: f"SK_{code[6:]}",
    "district": lambda code: code[:6],
    "nuts3": lambda code: code[:5],
    "nuts2": lambda code: code[:4],
    "nuts1": lambda code: code[:3],
    "nuts0": lambda code: code[:2],
}


def published(tables: duckdb.DuckDBPyConnection, indicator: str, level: str, sex: str = "_T", age: str = "_T") -> dict[str, float | None]:
    """Return the values of an indicator in the last period, by area; areas of other countries without data are left out."""
    query = """
        select ref_area, obs_value from indicator_values
        where indicator = ? and level = ? and sex = ? and age = ? and obs_status <> 'O'
    """
    return dict(tables.execute(query, [indicator, level, sex, age]).fetchall())


def test_every_municipality_of_the_four_countries_is_there(tables: duckdb.DuckDBPyConnection) -> None:
    query = "select left(ref_area, 2), count(*) from areas where level = 'lau' and name is not null and area_km2 > 0 group by 1"
    assert dict(tables.execute(query).fetchall()) == MUNICIPALITIES


def test_the_territory_is_whole(tables: duckdb.DuckDBPyConnection) -> None:
    levels = dict(tables.execute("select level, count(*) from areas where name is not null group by level").fetchall())
    assert levels == {"lau": 14_818, "district": 253, "nuts3": 115, "nuts2": 37, "nuts1": 12, "nuts0": 4}
    links = """
        select c.level, p.level, count(*) from area_parents as l
        join areas as c on c.ref_area = l.ref_area join areas as p on p.ref_area = l.parent group by all order by all
    """
    assert tables.execute(links).fetchall() == [
        ("district", "nuts3", 253), ("lau", "district", 6081), ("lau", "nuts3", 14_818),
        ("nuts1", "nuts0", 12), ("nuts2", "nuts1", 37), ("nuts3", "nuts2", 115),
    ]  # fmt: skip
    abroad = "select count(*) from area_parents where left(ref_area, 2) <> left(parent, 2)"
    assert tables.execute(abroad).fetchall() == [(0,)]
    astray = """
        select count(*) from area_parents as a join areas as d on d.ref_area = a.parent and d.level = 'district'
        join area_parents as b on b.ref_area = d.ref_area
        where not exists (select 1 from area_parents as c where c.ref_area = a.ref_area and c.parent = b.parent)
    """
    assert tables.execute(astray).fetchall() == [(0,)]  # a municipality's district lies in the municipality's own region


def test_codes_that_two_countries_share_are_two_areas(tables: duckdb.DuckDBPyConnection) -> None:
    shared = """
        select a.code, a.ref_area, b.ref_area from area_codes as a join area_codes as b on b.code = a.code
        where a.scheme = 'lau_cz' and b.scheme = 'lau_sk' order by a.code
    """
    rows = tables.execute(shared).fetchall()
    assert len(rows) == 11
    assert rows == [(code, f"CZ_{code}", f"SK_{code}") for code, _, _ in rows]
    names = "select ref_area, name from areas where ref_area in ('CZ_500011', 'SK_500011') order by ref_area"
    assert tables.execute(names).fetchall() == [("CZ_500011", "Želechovice nad Dřevnicí"), ("SK_500011", "Nitra")]
    inhabitants = published(tables, "population", "lau")
    assert (inhabitants["CZ_500011"], inhabitants["SK_500011"]) == (1865, 76_655)
    twice = "select count(*) from (select scheme, code from area_codes group by all having count(distinct ref_area) > 1)"
    assert tables.execute(twice).fetchall() == [(0,)]


def test_inhabitants_of_each_country_are_the_published_ones_at_every_level(tables: duckdb.DuckDBPyConnection) -> None:
    for level in ("lau", "nuts3", "nuts2", "nuts1", "nuts0"):
        found: dict[str, float] = defaultdict(float)
        for area, value in published(tables, "population", level).items():
            found[area[:2]] += value or 0
        assert found == INHABITANTS, level
    surface = "select left(ref_area, 2), sum(area_km2) from areas where level = 'lau' group by 1"
    assert dict(tables.execute(surface).fetchall()) == {country: pytest.approx(size, abs=0.6) for country, size in SURFACE.items()}
    density = published(tables, "population_density", "nuts0")
    assert density == {country: pytest.approx(INHABITANTS[country] / SURFACE[country], rel=1e-4) for country in SURFACE}


def test_every_area_has_the_country_of_its_identifier(tables: duckdb.DuckDBPyConnection) -> None:
    wrong = "select count(*) from areas where country <> left(ref_area, 2) or country not in ('CZ', 'HU', 'PL', 'SK')"
    assert tables.execute(wrong).fetchall() == [(0,)]


def test_cities_towns_and_the_countryside_are_everybody(tables: duckdb.DuckDBPyConnection) -> None:
    for level, areas in (("nuts0", 4), ("nuts3", 115)):
        shares = [published(tables, f"{kind}_population_share", level) for kind in ("city", "town", "rural")]
        assert len(shares[0]) == areas
        assert [sum(share[area] or 0 for share in shares) for area in shares[0]] == [pytest.approx(100)] * areas


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("sex", ["_T", "M", "F"])
def test_residents_by_age_and_sex_are_those_of_the_file(
    tables: duckdb.DuckDBPyConnection, census: dict[str, Residents], level: str, sex: str
) -> None:
    areas = by_area(census, LEVELS[level])
    for age, years in AGES.items():
        expected = {area: sum(place.count(sex, years) for place in places) for area, places in areas.items()}
        assert published(tables, "census_population", level, sex, age) == expected, age


def test_residents_of_the_state_are_the_published_ones_and_their_age_groups_add_up(tables: duckdb.DuckDBPyConnection) -> None:
    query = "select sex, age, obs_value from indicator_values where indicator = 'census_population' and ref_area = 'SK'"
    found = {(sex, age): value for sex, age, value in tables.execute(query).fetchall()}
    assert {sex: found[sex, "_T"] for sex in RESIDENTS} == RESIDENTS
    assert {sex: sum(found[sex, age] for age in AGES if age != "_T") for sex in RESIDENTS} == RESIDENTS
    assert [found["M", age] + found["F", age] for age in AGES] == [found["_T", age] for age in AGES]


def shares(places: list[Residents]) -> dict[str, float | None]:
    """Return what the indicators say of some places together, by their definitions."""

    def count(sex: str, first: int = 0, last: int = 100) -> int:
        return sum(place.count(sex, range(first, last + 1)) for place in places)

    def ratio(part: float, whole: float, factor: float = 100) -> float | None:
        return factor * part / whole if whole else None

    lived = sum(age * (men + women) for place in places for age, (men, women) in enumerate(zip(place.men, place.women, strict=True)))
    return {
        "women_share": ratio(count("F"), count("_T")),
        "children_share": ratio(count("_T", 0, 14), count("_T")),
        "working_age_share": ratio(count("_T", 15, 64), count("_T")),
        "seniors_share": ratio(count("_T", 65), count("_T")),
        "seniors_80_share": ratio(count("_T", 80), count("_T")),
        "ageing_index": ratio(count("_T", 65), count("_T", 0, 14)),
        "old_age_dependency": ratio(count("_T", 65), count("_T", 15, 64)),
        "mean_age": ratio(lived, count("_T"), 1),
        "young_women_share": ratio(count("F", 20, 39), count("_T", 20, 39)),
        "senior_women_share": ratio(count("F", 65), count("_T", 65)),
        "young_adults_share": ratio(count("_T", 20, 39), count("_T")),
        "child_woman_ratio": ratio(count("_T", 0, 4), count("F", 15, 49), 1000),
    }


def same(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_shares_are_ratios_of_sums_over_the_file(tables: duckdb.DuckDBPyConnection, census: dict[str, Residents], level: str) -> None:
    expected = {area: shares(places) for area, places in by_area(census, LEVELS[level]).items()}
    for indicator in shares([]):
        found = published(tables, indicator, level)
        assert found.keys() == expected.keys()
        wrong = {area: (value, expected[area][indicator]) for area, value in found.items() if not same(value, expected[area][indicator])}
        assert wrong == {}, indicator


def test_other_countries_have_no_census_and_say_so(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select left(ref_area, 2), obs_status, count(*) from indicator_values
        where indicator = 'mean_age' and level = 'lau' and sex = '_T' group by all order by all
    """
    expected = [("CZ", "O", 6258), ("HU", "O", 3155), ("PL", "O", 2478), ("SK", "A", 2926), ("SK", "Z", 1)]
    assert tables.execute(query).fetchall() == expected  # the one place without residents is a military area


def test_women_and_men_are_compared(tables: duckdb.DuckDBPyConnection, census: dict[str, Residents]) -> None:
    query = (
        "select age, female, male, difference from gender_gaps where indicator = 'census_population' and ref_area = 'SK010' order by age"
    )
    places = by_area(census, LEVELS["nuts3"])["SK010"]
    women, men = ({age: sum(p.count(sex, years) for p in places) for age, years in AGES.items()} for sex in ("F", "M"))
    assert tables.execute(query).fetchall() == [(age, women[age], men[age], women[age] - men[age]) for age in sorted(AGES)]


def test_education_turnout_and_dwellings_add_up_to_the_published_totals(tables: duckdb.DuckDBPyConnection) -> None:
    query = """
        select i.indicator, i.ref_area, i.numerator, i.denominator, i.obs_value, count(m.obs_value)
        from indicator_values as i
        inner join indicator_values as m on m.indicator = i.indicator and m.level = 'lau' and m.sex = '_T'
        where i.level = 'nuts0' and i.sex = '_T' and i.obs_value is not null and i.indicator in
            ('tertiary_education_share', 'turnout_parliament', 'inhabitants_per_dwelling', 'population_change_since_2019')
        group by all order by all
    """
    found = {name: rest for name, *rest in tables.execute(query).fetchall()}
    change = 9_539_502 - 9_772_756  # Budapest once, not by its districts too
    assert found["population_change_since_2019"] == ["HU", change, 9_772_756, pytest.approx(100 * change / 9_772_756), 3155]
    assert found["inhabitants_per_dwelling"] == ["HU", 9_539_502, 4_615_584, pytest.approx(9_539_502 / 4_615_584), 3155]
    area, tertiary, _, _, municipalities = found["tertiary_education_share"]
    assert (area, tertiary, municipalities) == ("SK", 1_001_446, 2926)
    # with 3861 of 4116 voters abroad, who belong to no municipality, this is the official turnout of 65.81 %
    area, took_part, registered, _, municipalities = found["turnout_parliament"]
    assert (area, municipalities) == ("SK", 2926)
    assert 100 * (took_part + 3861) / (registered + 4116) == pytest.approx(65.81, abs=0.005)


def test_slovak_municipalities_have_a_score(tables: duckdb.DuckDBPyConnection) -> None:
    query = "select component, count(score), count(distinct left(ref_area, 2)) filter (where score is not null) from community group by 1"
    found = {component: (scored, countries) for component, scored, countries in tables.execute(query).fetchall()}
    assert found == dict.fromkeys(("generations", "renewal", "ageing", "balance"), (2926, 1))


def test_every_row_is_accounted_for(v4_home: Path, tables: duckdb.DuckDBPyConnection) -> None:
    query = "select source, rows_read, rows_accepted, rows_quarantined, rows_ignored, cells_quarantined from sources"
    found = {source: rest for source, *rest in tables.execute(query).fetchall()}
    fetched = {source: counts for source, counts in found.items() if counts[0]}  # sources that are switched off have no rows
    assert fetched == {source: [read, accepted, 0, read - accepted, 0] for source, (read, accepted) in ROWS.items()}
    report = json.loads((current_release(v4_home) / "quality" / "report.json").read_text(encoding="utf-8"))
    assert report["gate"]["warnings"] == []
