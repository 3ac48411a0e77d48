"""Write the data of packs/demo from the current release of packs/cz: totals of districts, and notices as dates. Declares nothing.

    python packs/make_demo.py data/cz packs/demo/data

Every figure is a sum that the release has as a numerator or denominator of an indicator, so anybody with the release can check it. Notices keep
only the days of posting and removal and the region of the body, without title and address.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import duckdb

LEVEL = "okres"

# file: (its split by sex, {column: (indicator, the part of its row)}); rows are years and districts
FIGURES: dict[str, tuple[bool, dict[str, tuple[str, str]]]] = {
    "population": (True, {"persons": ("population", "numerator"), "mean_age": ("mean_age", "obs_value")}),
    "planning": (
        False,
        {
            "natural_increase": ("natural_increase", "numerator"),
            "net_migration": ("net_migration", "numerator"),
            "residents_65_plus": ("old_age_dependency", "numerator"),
            "residents_15_64": ("old_age_dependency", "denominator"),
            "job_seekers": ("unemployed_share", "numerator"),
            "arable_ha": ("arable_share", "numerator"),
            "forest_ha": ("forest_share", "numerator"),
            "stable_ha": ("stable_land_share", "numerator"),
            "built_up_ha": ("built_up_area_per_inhabitant", "numerator"),
            "total_ha": ("forest_share", "denominator"),
        },
    ),
    "budgets": (
        False,
        {
            "revenue": ("budget_balance", "denominator"),
            "expenditure": ("expenditure_per_inhabitant", "numerator"),
            "inhabitants": ("expenditure_per_inhabitant", "denominator"),
            "capital_expenditure": ("investment_share", "numerator"),
            "tax_revenue": ("tax_revenue_per_inhabitant", "numerator"),
            "debt": ("debt_ratio", "numerator"),
            "revenue_mean_4_years": ("debt_ratio", "denominator"),
        },
    ),
    "candidates": (
        True,
        {
            "candidates": ("candidacy_rate", "numerator"),
            "inhabitants": ("candidacy_rate", "denominator"),
            "under_35": ("young_candidates_share", "numerator"),
            "aged_65_plus": ("older_candidates_share", "numerator"),
        },
    ),
    "seats": (False, {"seats": ("candidates_per_seat", "denominator")}),
    "parliament": (False, {"voters": ("turnout_parliament", "denominator"), "votes": ("turnout_parliament", "numerator")}),
    "president": (False, {"voters": ("turnout_president", "denominator"), "votes": ("turnout_president", "numerator")}),
    "exclusion": (
        False,
        {
            "residents_15_plus": ("persons_in_execution", "denominator"),
            "persons_in_execution": ("persons_in_execution", "numerator"),
            "residents_15_64": ("long_job_seekers_share", "denominator"),
            "long_job_seekers": ("long_job_seekers_share", "numerator"),
            "housing_benefits": ("housing_benefit_share", "numerator"),
            "subsistence_benefits": ("subsistence_benefit_share", "numerator"),
        },
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
    """Write one CSV a source into `out`. Raises FileNotFoundError where the home has no release."""
    release = home / "public" / json.loads((home / "public" / "latest.json").read_text(encoding="utf-8"))["path"]
    with duckdb.connect() as connection:
        for table in ("areas", "area_parents", "indicator_values"):
            connection.execute(f"create view {table} as select * from '{release}/parquet/{table}.parquet'")
        write(out / "areas.csv", ["code", "name", "level", "parent", "lat", "lon", "area_km2"], connection.execute(AREAS).fetchall())
        for name, (by_sex, columns) in FIGURES.items():
            header = ["year", "district", *(["sex"] if by_sex else []), *columns]
            write(out / f"{name}.csv", header, connection.execute(figures(by_sex, columns)).fetchall())
        manifest = json.loads((home / "manifests" / "current.json").read_text(encoding="utf-8"))
        events = [str(home / "lake" / entry["path"]) for entry in manifest["files"]["events"]]
        notices = f'select "start"::date::varchar, "end"::date::varchar, ref_area from read_parquet({events}) order by all'
        rows = [(i, *row) for i, row in enumerate(connection.execute(notices).fetchall(), 1)]
        write(out / "notices.csv", ["number", "posted", "removed", "region"], rows)


def figures(by_sex: bool, columns: dict[str, tuple[str, str]]) -> str:
    """Return the query of one file: a row a year, district and sex, a figure missing where the release has no value of its indicator."""
    keys = "time_period, ref_area, sex" if by_sex else "time_period, ref_area"
    picked = [
        f"max({part}) filter (where indicator = '{name}' and obs_value is not null) as \"{c}\"" for c, (name, part) in columns.items()
    ]
    names = ", ".join(f"'{name}'" for name, _ in columns.values())
    where = f"level = '{LEVEL}' and age = '_T' and indicator in ({names})" + ("" if by_sex else " and sex = '_T'")
    some = " or ".join(f'"{c}" is not null' for c in columns)
    return (
        f"select * from (select {keys}, {', '.join(picked)} from indicator_values where {where} group by {keys}) where {some} order by all"
    )


def write(path: Path, header: list[str], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([format(cell, ".12g") if isinstance(cell, float) else cell for cell in row] for row in rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
