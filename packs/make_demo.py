"""Write the folder packs/demo/data from the current release of packs/cz: totals and boundaries of districts, and notices as dates.

    python packs/make_demo.py data/cz packs/demo/data

The other files of packs/demo (pack.yml, sources, indicators, indices) are written by hand. tests/acceptance/test_demo.py compares what this
program writes with the committed folder, byte by byte.

Every figure is a sum that the release has as a numerator or denominator of an indicator, so anybody with the release can check it. Notices
keep only the days of posting and removal and the region of the body, without title and address.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

LEVEL = "okres"


@dataclass(frozen=True)
class Figures:
    """One file: a column is an indicator and an expression over its row in the release. Rows are periods, areas and, with `by_sex`, sexes."""

    columns: dict[str, tuple[str, str]]
    by_sex: bool = False
    level: str = LEVEL
    period: str = "year"
    named: bool = False  # areas by their names, as in the file of the statistical office


FIGURES = {
    "population": Figures({"persons": ("population", "numerator"), "mean_age": ("mean_age", "obs_value")}, by_sex=True),
    "ages": Figures(
        {
            "persons": ("seniors_share", "denominator"),
            "aged_0_14": ("children_share", "numerator"),
            "aged_65_plus": ("seniors_share", "numerator"),
        },
        by_sex=True,
    ),
    "planning": Figures(
        {
            "inhabitants": ("natural_increase", "denominator"),
            "natural_increase": ("natural_increase", "numerator"),
            "births": ("birth_rate", "numerator"),
            "net_migration": ("net_migration", "numerator"),
            "moves": ("residential_turnover", "numerator"),
            "residents_0_14": ("ageing_index", "denominator"),
            "residents_15_64": ("old_age_dependency", "denominator"),
            "residents_65_plus": ("ageing_index", "numerator"),
            "job_seekers": ("unemployed_share", "numerator"),
            "dwellings_completed": ("dwellings_completed", "numerator"),
            "family_houses": ("family_house_share", "numerator"),
            "places_of_accommodation": ("accommodation_places", "numerator"),
            "inhabitants_of_land": ("built_up_area_per_inhabitant", "denominator"),
            "total_ha": ("forest_share", "denominator"),
            "agricultural_ha": ("grassland_share", "denominator"),
            "arable_ha": ("arable_share", "numerator"),
            "grass_ha": ("grassland_share", "numerator"),
            "forest_ha": ("forest_share", "numerator"),
            "water_ha": ("water_area_share", "numerator"),
            "built_up_ha": ("built_up_area_per_inhabitant", "numerator"),
            "artificial_ha": ("artificial_land_share", "numerator"),
            "stable_ha": ("ecological_stability", "numerator"),
            "unstable_ha": ("ecological_stability", "denominator"),
        }
    ),
    "budgets": Figures(
        {
            "revenue": ("budget_balance", "denominator"),
            "own_revenue": ("own_revenue_share", "numerator"),
            "tax_revenue": ("tax_revenue_per_inhabitant", "numerator"),
            "expenditure": ("expenditure_per_inhabitant", "numerator"),
            "capital_expenditure": ("investment_share", "numerator"),
            "debt": ("debt_ratio", "numerator"),
            "revenue_mean_4_years": ("debt_ratio", "denominator"),
            "revenue_3_years_before": ("revenue_growth_3y", "denominator"),
            "liabilities": ("liabilities_share", "numerator"),
            "assets": ("liabilities_share", "denominator"),
            "current_assets": ("liquidity", "numerator"),
            "current_liabilities": ("liquidity", "denominator"),
            "municipalities": ("over_debt_rule_share", "denominator"),
            "above_debt_rule": ("over_debt_rule_share", "numerator"),
        }
    ),
    "candidates": Figures(
        {
            "candidates": ("older_candidates_share", "denominator"),
            "inhabitants": ("candidacy_rate", "denominator"),
            "under_35": ("young_candidates_share", "numerator"),
            "aged_65_plus": ("older_candidates_share", "numerator"),
            "councillors": ("elected_candidates_share", "numerator"),
            "councillors_under_35": ("young_councillors_share", "numerator"),
            "candidates_for_councillors": ("elected_candidates_share", "denominator"),
        },
        by_sex=True,
    ),
    "councils": Figures(
        {
            "municipalities": ("candidate_lists", "denominator"),
            "inhabitants": ("council_seats_per_1000", "denominator"),
            "seats": ("candidates_per_seat", "denominator"),
            "candidates_for_seats": ("candidates_per_seat", "numerator"),
            "lists": ("candidate_lists", "numerator"),
            "lists_led_by_women": ("women_list_leaders_share", "numerator"),
            "list_leaders": ("women_list_leaders_share", "denominator"),
            "candidates_without_party": ("nonparty_candidates_share", "numerator"),
            "voters": ("turnout_council", "denominator"),
            "ballots": ("turnout_council", "numerator"),
        }
    ),
    "mayors": Figures(
        {"women": ("women_mayors_share", "numerator"), "men": ("women_mayors_share", "denominator - numerator")}, period="month"
    ),
    "parliament": Figures(
        {
            "voters": ("turnout_parliament", "denominator"),
            "ballots": ("voter_turnout_parliament", "numerator"),
            "votes": ("turnout_parliament", "numerator"),
        }
    ),
    "president": Figures(
        {
            f"{column}_round_{number}": (f"{indicator}{suffix}", part)
            for number, suffix in ((1, ""), (2, "_round_2"))
            for column, indicator, part in (
                ("voters", "turnout_president", "denominator"),
                ("ballots", "voter_turnout_president", "numerator"),
                ("votes", "turnout_president", "numerator"),
            )
        }
    ),
    "regional_councils": Figures(
        {
            "candidates_women": ("women_regional_candidates_share", "numerator"),
            "candidates_all": ("women_regional_candidates_share", "denominator"),
            "elected_women": ("women_regional_councillors_share", "numerator"),
            "elected_all": ("women_regional_councillors_share", "denominator"),
        },
        level="nuts3",
    ),
    # areas without are left out, as in the lists of the sources: the pack declares for which areas that means 0
    "agenda21": Figures(
        {
            "municipalities": ("agenda21_top_holders", "nullif(numerator, 0)"),
            "inhabitants": ("agenda21_top_population_share", "nullif(numerator, 0)"),
        }
    ),
    "participatory_budgets": Figures(
        {
            "municipalities": ("participatory_budgets_known", "nullif(numerator, 0)"),
            "inhabitants": ("participatory_budget_population_share", "nullif(numerator, 0)"),
        }
    ),
    "sport_clubs": Figures(
        {
            "members": ("sport_club_members", "numerator"),
            "inhabitants": ("sport_club_members", "denominator"),
            "clubs": ("sport_clubs_per_10000", "numerator"),
        },
        by_sex=True,
    ),
    "exclusion": Figures(
        {
            "residents_15_plus": ("housing_benefit_share", "denominator"),
            "persons_in_execution": ("persons_in_execution", "numerator"),
            "residents_15_64": ("long_job_seekers_share", "denominator"),
            "long_job_seekers": ("long_job_seekers_share", "numerator"),
            "housing_benefits": ("housing_benefit_share", "numerator"),
            "subsistence_benefits": ("subsistence_benefit_share", "numerator"),
            "school_leavers": ("early_school_leaving", "denominator"),
            "early_school_leavers": ("early_school_leaving", "numerator"),
            "index_points": ("social_exclusion_index", "obs_value"),
        }
    ),
    "health": Figures(
        {
            "inhabitants": ("gp_within_5_km_share", "denominator"),
            "within_5_km": ("gp_within_5_km_share", "numerator"),
            "distance_km": ("gp_distance", "obs_value"),
            "inhabitants_of_practitioners": ("doctors_per_10000", "denominator"),
            "practitioners": ("doctors_per_10000", "numerator"),
            "aged_65_plus_percent": ("gp_65_plus_share", "obs_value"),
        }
    ),
    "refugees": Figures(
        {
            "inhabitants_2021": ("refugees_per_100", "denominator"),
            "refugees": ("refugees_per_100", "numerator"),
            "women": ("women_among_refugees_share", "numerator"),
        }
    ),
    "regional_accounts": Figures(
        {"gdp_million_czk": ("gdp_per_inhabitant", "numerator"), "inhabitants": ("gdp_per_inhabitant", "denominator")},
        level="nuts3",
        named=True,
    ),
    "eu_funds": Figures(
        {
            "paid_2014": ("green_investment_share", "denominator"),
            "climate_2014": ("green_investment_share", "numerator"),
            "paid_since_2007": ("eu_energy_share_2007", "denominator"),
            "energy_since_2007": ("eu_energy_share_2007", "numerator"),
            "urban_since_2007": ("integrated_urban_projects_share", "numerator"),
        },
        level="nuts3",
    ),
}

AREAS = f"""
    with middles as (
        select p.parent as ref_area, round(avg(a.lat), 4) as lat, round(avg(a.lon), 4) as lon
        from areas as a inner join area_parents as p on p.ref_area = a.ref_area
        where p.parent in (select ref_area from areas where level = '{LEVEL}')
        group by p.parent
    ),
    surfaces as (
        select ref_area, max_by(denominator, time_period) as area_km2 from indicator_values where indicator = 'population_density' group by 1
    )
    select a.ref_area, a.name, a.level, p.parent, m.lat, m.lon, case when a.level = '{LEVEL}' then s.area_km2 end as area_km2
    from areas as a
    left join area_parents as p on p.ref_area = a.ref_area
    left join middles as m on m.ref_area = a.ref_area
    left join surfaces as s on s.ref_area = a.ref_area
    where a.level in ('{LEVEL}', 'nuts3', 'nuts0')
    order by a.ref_area
"""


def main(home: Path, out: Path) -> None:
    """Write a CSV file per source, and the boundaries of the districts, into `out`. Raises FileNotFoundError where the home has no release."""
    release = home / "public" / json.loads((home / "public" / "latest.json").read_text(encoding="utf-8"))["path"]
    with duckdb.connect() as connection:
        for table in ("areas", "area_parents", "indicator_values"):
            connection.execute(f"create view {table} as select * from '{release}/parquet/{table}.parquet'")
        write(out / "areas.csv", ["code", "name", "level", "parent", "lat", "lon", "area_km2"], connection.execute(AREAS).fetchall())
        shutil.copyfile(release / "geo" / f"{LEVEL}.topojson", out / "boundaries.topojson")
        for name, figures in FIGURES.items():
            header = [
                figures.period,
                "region" if figures.level == "nuts3" else "district",
                *(["sex"] if figures.by_sex else []),
                *figures.columns,
            ]
            write(out / f"{name}.csv", header, connection.execute(query_of(figures)).fetchall())
        manifest = json.loads((home / "manifests" / "current.json").read_text(encoding="utf-8"))
        events = [str(home / "lake" / entry["path"]) for entry in manifest["files"]["events"]]
        notices = f'select "start"::date::varchar, "end"::date::varchar, ref_area from read_parquet({events}) order by all'
        rows = [(i, *row) for i, row in enumerate(connection.execute(notices).fetchall(), 1)]
        write(out / "notices.csv", ["number", "posted", "removed", "region"], rows)


def query_of(figures: Figures) -> str:
    """Return the query of one file. A figure is missing where the release has no value of its indicator."""
    area = "(select name from areas where areas.ref_area = v.ref_area)" if figures.named else "ref_area"
    keys = f"time_period, {area}, sex" if figures.by_sex else f"time_period, {area}"
    picked = [
        f"max({part}) filter (where indicator = '{name}' and obs_value is not null) as \"{column}\""
        for column, (name, part) in figures.columns.items()
    ]
    names = ", ".join(f"'{name}'" for name, _ in figures.columns.values())
    where = f"level = '{figures.level}' and age = '_T' and indicator in ({names})" + ("" if figures.by_sex else " and sex = '_T'")
    some = " or ".join(f'"{column}" is not null' for column in figures.columns)
    return f"select * from (select {keys}, {', '.join(picked)} from indicator_values as v where {where} group by all) where {some} order by all"


def write(path: Path, header: list[str], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([format(cell, ".12g") if isinstance(cell, float) else cell for cell in row] for row in rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
