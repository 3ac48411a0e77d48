"""Questions that people ask of a release through `zpo2 mcp`, each with the tool call that answers it and what the answer must be.

An expectation is a literal value, SQL on the CSV files of the release, or text of an error. SQL sees the views `v` (indicator_values), `c`
(comparisons), `peers`, `sustainability`, `community` and `trends`, whose numbers were not read by the code under test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sql:
    """A number or a text that a query on the CSV files of the release gives."""

    query: str


@dataclass(frozen=True)
class Question:
    """What somebody asks; the call; expected parts of the answer by path (`cells.0.value`, `places.#` for a number of entries); or the error."""

    asked: str
    tool: str
    arguments: Mapping[str, Any]
    expected: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


def csv(indicator: str, area: str, period: str, column: str = "obs_value", sex: str = "_T") -> Sql:
    """Return a cell of indicator_values."""
    key = f"indicator = '{indicator}' and ref_area = '{area}' and time_period = '{period}' and sex = '{sex}' and age = '_T'"
    return Sql(f"select {column} from v where {key}")


def ratio(indicator: str, period: str, areas: str, factor: int = 100) -> Sql:
    """Return the sum of the numerators over that of the denominators of the areas that a condition names."""
    key = f"indicator = '{indicator}' and time_period = '{period}' and sex = '_T' and age = '_T' and {areas}"
    return Sql(f"select {factor} * sum(numerator::double) / sum(denominator::double) from v where {key}")


EMPTY: dict[str, Any] = {
    "cell.value": None, "cell.text": None, "cell.numerator": None, "cell.denominator": None, "cell.interval": None, "cell.coverage": None,
    "comparisons": [],
}  # fmt: skip
CENTRAL = "ref_area like 'CZ020_'"
UNEMPLOYED = "indicator = 'unemployed_share' and time_period = '2020' and sex = '_T'"

DEMO = (
    # one value
    Question(
        "Kolik obyvatel má okres Kolín?", "get_value", {"indicator": "Počet obyvatel", "place": "okres Kolín", "language": "cs"},
        {"cell.value": csv("population", "CZ0204", "2024"), "cell.period": "2024", "cell.unit": "osoby", "cell.status": "A"},
    ),
    Question(
        "How many people lived in Kolín in 2020?", "get_value", {"indicator": "population", "place": "Kolin", "period": "2020"},
        {"cell.value": 102774, "cell.text": "102,774\u00a0persons", "place.within.0.code": "CZ020", "attribution.0.licence": "CC-BY-4.0"},
    ),
    Question(
        "Kolik žen žilo v Kolíně v roce 2020?", "get_value",
        {"indicator": "population", "place": "Kolín", "period": "2020", "sex": "F", "language": "cs"},
        {"cell.value": csv("population", "CZ0204", "2020", sex="F"), "cell.sex": "F"},
    ),
    Question(
        "And in 2021? (the year as a number)", "get_value", {"indicator": "population", "place": "CZ0204", "period": 2021},
        {"cell.value": csv("population", "CZ0204", "2021"), "cell.period": "2021"},
    ),
    Question(
        "Jaký je index stáří na Kladně?", "get_value", {"indicator": "Index stáří", "place": "KLADNO", "language": "cs"},
        {"cell.value": csv("ageing_index", "CZ0203", "2020"), "cell.numerator": csv("ageing_index", "CZ0203", "2020", "numerator")},
    ),
    Question(
        "Nezaměstnanost v Ústí nad Labem, psáno bez háčků", "get_value",
        {"indicator": "podil nezamestnanych osob", "place": "usti nad labem", "language": "cs"},
        {
            "cell.value": csv("unemployed_share", "CZ0427", "2020"),
            "cell.interval.lower_95": csv("unemployed_share", "CZ0427", "2020", "lower_95"),
            "cell.interval.upper_998": csv("unemployed_share", "CZ0427", "2020", "upper_998"),
        },
    ),
    Question(
        "Forest share of the district with the code cz0804", "get_value", {"indicator": "forest_share", "place": "cz0804"},
        {"cell.value": csv("forest_share", "CZ0804", "2020"), "place.name": "Nový Jičín"},
    ),
    Question(
        "Kolik žen je v zastupitelstvu Prahy?", "get_value",
        {"indicator": "women_councillors_share", "place": "Praha", "period": "2018", "language": "cs"},
        {"cell.value": 21.5384615385, "cell.text": "21,5\u00a0%", "cell.numerator": 14, "cell.denominator": 65},
    ),
    Question(
        "Is unemployment in Kolín higher than in similar districts?", "get_value", {"indicator": "unemployed_share", "place": "Kolín"},
        {
            "comparisons.0.outcome": "similar", "comparisons.0.against_name": "Česko", "comparisons.1.outcome": "worse",
            "comparisons.1.significance": 99.8,
            "comparisons.1.reference_value": Sql(
                f"select reference_value from c where {UNEMPLOYED} and ref_area = 'CZ0204' and against = 'peers'"
            ),
            "comparisons.1.text": "worse than similar places together, with 99.8 % certainty",
        },
    ),
    # missing values
    Question(
        "What was the turnout in Prague in the municipal elections of 2010?", "get_value",
        {"indicator": "turnout_council", "place": "CZ010", "period": "2010"},
        {**EMPTY, "cell.status": "M", "cell.missing.supplier": "Český statistický úřad", "cell.missing.periods_with_value": ["2014", "2018"]},
    ),
    Question(
        "How many general practitioners are there in the whole country?", "get_value", {"indicator": "doctors_per_10000", "place": "CZ"},
        {**EMPTY, "cell.status": "L", "cell.missing.reason": "too few areas below have values", "cell.period": "2024"},
    ),
    Question(
        "Kolik komunálního odpadu má Kolín?", "get_value", {"indicator": "municipal_waste", "place": "Kolín", "language": "cs"},
        {
            **EMPTY, "cell.status": "O", "cell.missing.supplier": "Ministerstvo životního prostředí, CENIA",
            "cell.missing.needed": "Hlášení obcí o komunálním odpadu za všechny kódy odpadů a více let.", "indicator.has_data": False,
        },
    ),
    Question(
        "Kolik žen kandidovalo v krajských volbách v Praze?", "get_value",
        {"indicator": "women_regional_candidates_share", "place": "CZ010", "period": "2024", "language": "cs"}, {**EMPTY, "cell.status": "O"},
    ),
    Question(
        "Byty dokončené v Praze v roce 2020", "get_value",
        {"indicator": "dwellings_completed", "place": "CZ0100", "period": "2020", "language": "cs"},
        {**EMPTY, "cell.status": "M", "cell.missing.note": "V souboru zdroje se tento údaj největších měst ztratil."},
    ),
    # periods, names and breakdowns that do not exist
    Question(
        "How many people lived in Kolín in 1950?", "get_value", {"indicator": "population", "place": "Kolín", "period": "1950"},
        error="Inhabitants has no period 1950 for the level okres. It has: 2013, 2014, 2015, 2016, 2017, 2018, 2019, 2020, 2021, 2022, 2023, 2024.",
    ),
    Question(
        "Kolik obyvatel bude mít Kolín v roce 2030?", "get_value",
        {"indicator": "population", "place": "Kolín", "period": "2030", "language": "cs"}, error="nemá pro úroveň okres období 2030. Má: 2013",
    ),
    Question(
        "How many people live in Kolín now?", "get_value", {"indicator": "population", "place": "Kolín", "period": "now"},
        error="now is not a period: write a year (2020)",
    ),
    Question("Population of Atlantis", "get_value", {"indicator": "population", "place": "Atlantis"}, error="There is no place named Atlantis."),
    Question(
        "Population of Prha", "get_value", {"indicator": "population", "place": "Prha"},
        error="Did you mean: CZ0100 Praha (okres, Hlavní město Praha)?",
    ),
    Question("Happiness in Kolín", "get_value", {"indicator": "happiness", "place": "Kolín"}, error="There is no indicator happiness."),
    Question(
        "Unemployed in Kolín", "get_value", {"indicator": "unemployed", "place": "Kolín"},
        error="Did you mean: Share of unemployed persons (unemployed_share)",
    ),
    Question(
        "Official notices in Kolín", "get_value", {"indicator": "official_notices", "place": "Kolín"},
        error="only for: nuts0, nuts3. Ask for CZ020 Středočeský kraj, CZ Česko.",
    ),
    Question(
        "Ageing index of women", "get_value", {"indicator": "ageing_index", "place": "Kolín", "sex": "F"},
        error="is not published for sex F and age _T. It has: sex _T, age _T.",
    ),
    Question(
        "Combien d'habitants ?", "get_value", {"indicator": "population", "place": "Kolín", "language": "fr"},
        error="Language fr is not in this release. It has: en, cs.",
    ),
    Question("A misspelled argument", "get_value", {"indicator": "population", "place": "Kolín", "year": "2020"}, error="has no argument year"),
    Question("A call without a place", "get_value", {"indicator": "population"}, error="place: Field required"),
    Question(
        "A name without end", "get_value", {"indicator": "population", "place": "x" * 10_000},
        error="place: String should have at most 120 characters"
    ),
    # series
    Question(
        "Jak se vyvíjel počet obyvatel Kolína?", "get_series", {"indicator": "population", "place": "Kolín", "language": "cs"},
        {
            "total": 12, "cells.#": 12, "cells.0.period": "2013", "cells.0.value": csv("population", "CZ0204", "2013"),
            "cells.11.value": csv("population", "CZ0204", "2024"),
        },
    ),
    Question(
        "Turnout in municipal elections in Prague over time", "get_series", {"indicator": "turnout_council", "place": "CZ010"},
        {
            "cells.0.value": None, "cells.0.status": "M", "cells.2.status": "B", "cells.2.value": csv("turnout_council", "CZ010", "2018"),
            "notes": ["There is a break in the series in: 2018."], "breaks.0.measure": "ballots_council",
        },
    ),
    Question(
        "Inhabitants of Kolín from 2020 to 2022", "get_series", {"indicator": "population", "place": "Kolín", "first": "2020", "last": 2022},
        {"total": 3, "cells.2.value": csv("population", "CZ0204", "2022")},
    ),
    Question(
        "The first five years only", "get_series", {"indicator": "population", "place": "Kolín", "limit": 5},
        {"cells.#": 5, "total": 12, "next_offset": 5},
    ),
    Question(
        "The last years", "get_series", {"indicator": "population", "place": "Kolín", "limit": 5, "offset": 10},
        {"cells.#": 2, "next_offset": None},
    ),
    Question(
        "Is the share of women among candidates for regional councils growing?", "get_series",
        {"indicator": "women_regional_candidates_share", "place": "CZ"},
        {"trend.trend": Sql("select trend from trends where indicator = 'women_regional_candidates_share' and ref_area = 'CZ' and sex = '_T'")},
    ),
    Question(
        "Inhabitants of Kolín in the 19th century", "get_series", {"indicator": "population", "place": "Kolín", "last": "1899"},
        error="has no period -1899"
    ),
    # several places
    Question(
        "Porovnej podíl žen v zastupitelstvech Prahy, Kolína a republiky", "compare_places",
        {"indicator": "women_councillors_share", "places": ["Praha", "Kolín", "CZ"], "language": "cs"},
        {
            "period": "2018", "places.1.cell.value": csv("women_councillors_share", "CZ0204", "2018"),
            "places.2.cell.value": csv("women_councillors_share", "CZ", "2018"), "places.0.comparisons.0.outcome": "similar",
            "notes.0": "Vydání srovnává území se státem a s podobnými územími; území mezi sebou netestuje.",
        },
    ),
    Question(
        "Do more people stand for councils in Kolín than in the state?", "compare_places", {"indicator": "candidacy_rate", "places": ["Kolín", "CZ"]},
        {
            "places.0.comparisons.0.against": "CZ", "places.0.comparisons.0.outcome": "not_compared",
            "places.0.comparisons.0.reason": "depends_on_size", "indicator.depends_on_size": True,
        },
    ),
    Question(
        "Compare Kolín with its region and the state", "compare_places",
        {"indicator": "forest_share", "places": ["Kolín", "Středočeský kraj", "Česko"]},
        {"period": "2020", "places.#": 3, "places.1.cell.value": csv("forest_share", "CZ020", "2020")},
    ),
    Question(
        "Compare Kolín with Kolín", "compare_places", {"indicator": "population", "places": ["Kolín", "CZ0204"]},
        error="CZ0204 Kolín was given twice."
    ),
    Question(
        "Compare everything", "compare_places", {"indicator": "population", "places": ["Kolín"] * 21},
        error="places: List should have at most 20 items"
    ),
    # order
    Question(
        "Kde ve Středočeském kraji je nejvyšší nezaměstnanost?", "rank_places",
        {"indicator": "unemployed_share", "within": "Středočeský kraj", "language": "cs", "limit": 1},
        {
            "ranked.0.cell.place.code": Sql(f"select ref_area from v where {UNEMPLOYED} and {CENTRAL} order by obs_value::double desc limit 1"),
            "ranked.0.cell.value": Sql(f"select max(obs_value::double) from v where {UNEMPLOYED} and {CENTRAL}"), "with_value": 12, "next_offset": 1,
        },
    ),
    Question(
        "Which position has Kolín there?", "rank_places", {"indicator": "unemployed_share", "within": "CZ020", "place": "Kolín"},
        {
            "place.position": Sql(
                f"select 1 + count(*) from v where {UNEMPLOYED} and {CENTRAL}"
                f" and obs_value::double > (select obs_value::double from v where {UNEMPLOYED} and ref_area = 'CZ0204')"
            ),
            "place.position_low": Sql(
                f"select 1 + count(*) from v where {UNEMPLOYED} and {CENTRAL}"
                f" and lower_95::double > (select upper_95::double from v where {UNEMPLOYED} and ref_area = 'CZ0204')"
            ),
            "place.position_high": Sql(
                f"select count(*) from v where {UNEMPLOYED} and {CENTRAL}"
                f" and upper_95::double >= (select lower_95::double from v where {UNEMPLOYED} and ref_area = 'CZ0204')"
            ),
        },
    ),
    Question(
        "Which region has the fewest job seekers?", "rank_places", {"indicator": "unemployed_share", "level": "nuts3", "order": "lowest"},
        {
            "ranked.0.cell.place.code": Sql(f"select ref_area from v where {UNEMPLOYED} and level = 'nuts3' order by obs_value::double limit 1"),
            "with_value": 14, "within.code": "CZ",
        },
    ),
    Question(
        "Where were most dwellings completed in 2020?", "rank_places", {"indicator": "dwellings_completed", "level": "okres", "period": "2020"},
        {"with_value": 74, "without_value": 3, "unranked.#": 3, "unranked.0.value": None, "unranked.0.place.code": "CZ0100"},
    ),
    Question(
        "Where in the regions do most people stand for councils?", "rank_places", {"indicator": "candidacy_rate", "level": "nuts3"},
        {"notes.0": "The value depends on the size of the place. It is compared only with similar places, never with the state."},
    ),
    Question(
        "The order inside of Kolín", "rank_places", {"indicator": "population", "within": "Kolín"}, error="CZ0204 Kolín has no places of the level"
    ),
    Question(
        "The position of Kladno in Moravia", "rank_places", {"indicator": "population", "within": "Jihomoravský kraj", "place": "Kladno"},
        error="CZ0203 Kladno is not among the places of the level okres in Jihomoravský kraj.",
    ),
    # indices
    Question(
        "Which district is first in sustainability?", "get_index", {"index": "sustainability", "limit": 1},
        {
            "rankable": True, "total": 77, "places.0.rank": 1,
            "places.0.place.code": Sql(
                "select ref_area from sustainability where index = 'sustainability' and component = 'sustainability' and rank = '1'"
            ),
        },
    ),
    Question(
        "Kolikátý je Kolín ve společenství?", "get_index", {"index": "Okres jako společenství", "place": "Kolín", "language": "cs"},
        {
            "rankable": False, "places.0.rank": None, "places.0.score": None,
            "places.0.fifth": Sql("select fifth::int from community where ref_area = 'CZ0204' and index = 'community' and component = 'community'"),
        },
    ),
    Question("The index in Vysočina", "get_index", {"index": "sustainability", "within": "Vysočina kraj"}, error="Did you mean: CZ063 Kraj Vysočina"),
    Question(
        "The index of happiness", "get_index", {"index": "happiness"},
        error="The release has: community (Community life of districts), sustainability",
    ),
    # peers
    Question(
        "Které okresy jsou podobné Kolínu?", "get_peers", {"place": "Kolín", "language": "cs"},
        {"peers.#": 5, "peers.0.place.code": Sql("select peer from peers where ref_area = 'CZ0204' and position = '1'")},
    ),
    Question(
        "How does Kolín compare with similar districts in unemployment?", "get_peers", {"place": "Kolín", "indicator": "unemployed_share"},
        {
            "cell.value": csv("unemployed_share", "CZ0204", "2020"), "comparison.outcome": "worse", "comparison.significance": 99.8,
            "peers.0.cell.value": Sql(
                f"select obs_value from v where {UNEMPLOYED}"
                " and ref_area = (select peer from peers where ref_area = 'CZ0204' and position = '1')"
            ),
        },
    ),
    Question("Regions like Prague", "get_peers", {"place": "CZ010"}, error="The release has no similar places for CZ010"),
    # groups
    Question(
        "Nezaměstnanost v Kolíně a Kutné Hoře dohromady", "get_group_value",
        {"indicator": "unemployed_share", "places": ["Kolín", "Kutná Hora"], "language": "cs"},
        {
            "value": ratio("unemployed_share", "2020", "ref_area in ('CZ0204', 'CZ0205')"), "numerator": 4292, "denominator": 113887,
            "formula": "100 × 4\u00a0292 / 113\u00a0887 = 3,76864787026",
        },
    ),
    Question(
        "All districts of the Central Bohemian Region together", "get_group_value",
        {"indicator": "unemployed_share", "places": [f"CZ020{sign}" for sign in "123456789ABC"]},
        {"value": csv("unemployed_share", "CZ020", "2020"), "counted.#": 12},
    ),
    Question(
        "Kolik žen sedí v zastupitelstvech tří okresů dohromady?", "get_group_value",
        {"indicator": "women_councillors_share", "places": ["Kolín", "Beroun", "Kladno"], "period": "2018", "language": "cs"},
        {"value": ratio("women_councillors_share", "2018", "ref_area in ('CZ0204', 'CZ0202', 'CZ0203')")},
    ),
    Question(
        "GDP per inhabitant of Moravia's two regions", "get_group_value",
        {"indicator": "gdp_per_inhabitant", "places": ["CZ064", "CZ071"], "period": "2023"},
        {"value": ratio("gdp_per_inhabitant", "2023", "ref_area in ('CZ064', 'CZ071')", 1_000_000)},
    ),
    Question(
        "Inhabitants of both districts", "get_group_value", {"indicator": "population", "places": ["Kolín", "Kutná Hora"], "period": "2024"},
        {
            "value": Sql(
                "select sum(obs_value::double) from v where indicator = 'population' and time_period = '2024'"
                " and sex = '_T' and ref_area in ('CZ0204', 'CZ0205')"
            ),
            "denominator": None,
        },
    ),
    Question(
        "Dwellings completed in Praha and Kladno", "get_group_value",
        {"indicator": "dwellings_completed", "places": ["Praha", "Kladno"], "period": "2020"},
        {"value": None, "numerator": None, "denominator": None, "formula": None, "left_out.0.place.code": "CZ0100", "left_out.0.value": None},
    ),
    Question(
        "The same without the places that have no value", "get_group_value",
        {"indicator": "dwellings_completed", "places": ["Praha", "Kladno"], "period": "2020", "skip_missing": True},
        {"value": csv("dwellings_completed", "CZ0203", "2020"), "counted.#": 1, "notes": ["1 of 2 places have no value and are not in this number."]},
    ),
    Question(
        "Population change of two districts", "get_group_value", {"indicator": "population_change_5y", "places": ["Kolín", "Kladno"]},
        error="cannot be computed for a group",
    ),
    Question(
        "Kolín with its region", "get_group_value", {"indicator": "unemployed_share", "places": ["Kolín", "CZ020"]},
        error="CZ0204 Kolín lies in CZ020 Středočeský kraj: a group must not count anybody twice.",
    ),
    # where it comes from
    Question(
        "Where does the unemployment of Kolín come from?", "explain_value", {"indicator": "unemployed_share", "place": "Kolín"},
        {
            "computation": "100 × 2,566 / 65,664 = 3.90777290448", "formula": "100 * job_seekers_available / residents_15_64",
            "command": "zpo2 explain unemployed_share CZ0204 2020",
            "sources.0.files.0.sha256": Sql("select sha256 from snapshots where source = 'planning'"),
        },
    ),
    Question(
        "Proč chybí byty v Praze?", "explain_value", {"indicator": "dwellings_completed", "place": "Praha", "period": "2020", "language": "cs"},
        {"computation": None, "cell.value": None, "cell.status": "M", "command": "zpo2 explain dwellings_completed CZ0100 2020"},
    ),
    # searches
    Question(
        "Which places are called Praha?", "search_places", {"query": "praha"},
        {"places.0.code": "CZ0100", "places.1.name": "Praha-západ", "total": 4},
    ),
    Question("Bruntl", "search_places", {"query": "Bruntl"}, {"places.0.code": "CZ0801", "total": 1}),
    Question("Nic takového", "search_places", {"query": "xyzzy", "language": "cs"}, {"places": [], "total": 0, "next_offset": None}),
    Question(
        "Co je o nezaměstnanosti?", "search_indicators", {"query": "nezaměstnanost", "language": "cs"},
        {"indicators.0.indicator": "unemployed_share"},
    ),
    Question("Exekuce", "search_indicators", {"query": "exekuce", "language": "cs"}, {"indicators.0.indicator": "persons_in_execution"}),
    Question(
        "What is in this release?", "about_release", {},
        {
            "indicators": 88, "indicators_with_data": 87,
            "levels": [{"level": "nuts0", "places": 1}, {"level": "nuts3", "places": 14}, {"level": "okres", "places": 77}],
            "release.licence": "CC-BY-4.0",
        },
    ),
    Question("A tool that does not exist", "delete_release", {}, error="There is no such tool. The tools are: about_release"),
)  # fmt: skip

NAMESAKES = (
    Question(
        "Kolik lidí je v Čisté nemocných?", "get_value", {"indicator": "ill_share", "place": "Cista", "language": "cs"},
        error="Území Cista je 3: X_101 Čistá (obec, Rakovník); X_201 Čistá (obec, Svitavy); X_301 Čistá (obec, Mladá Boleslav).",
    ),
    Question(
        "A v Čisté na Svitavsku?", "get_value", {"indicator": "ill_share", "place": "Čistá, Svitavy", "language": "cs"},
        {"cell.value": csv("ill_share", "X_201", "2021"), "cell.place.code": "X_201", "cell.text": "4,4\u00a0%"},
    ),
    Question(
        "And in Čistá near Rakovník?", "get_value", {"indicator": "ill_share", "place": "X_101", "language": "en"},
        {
            **EMPTY, "cell.status": "C", "cell.missing.supplier": "Institute",
            "cell.missing.reason": "confidential: it could reveal something about single persons or firms",
        },
    ),
    Question(
        "Both together?", "get_group_value", {"indicator": "ill_share", "places": ["X_101", "X_201"], "language": "en"},
        {"value": None, "numerator": None, "denominator": None, "left_out.0.place.code": "X_101", "left_out.0.numerator": None},
    ),
    Question(
        "Which municipalities are called Čistá?", "search_places", {"query": "čistá"}, {"total": 3, "places.2.within.0.name": "Mladá Boleslav"}
    ),
    Question(
        "Kde je nejvíc nemocných?", "rank_places", {"indicator": "ill_share", "level": "obec"},
        {"with_value": 5, "without_value": 4, "unranked.0.value": None, "ranked.0.cell.place.code": "X_201"},
    ),
    Question(
        "Why is it confidential?", "explain_value", {"indicator": "ill_share", "place": "X_301", "language": "en"},
        {"computation": None, "cell.value": None, "cell.status": "C"},
    ),
)  # fmt: skip
