"""The floor of a generated pack: DuckDB alone, with integer keys, over the same files.

It computes the ratio of every area and year, rolls it up with coverage to the levels above, takes four dispersion statistics between the
areas of the finest level within each area above, and writes both tables sorted, as CSV and Parquet. It knows the shape of a generated
pack, trusts its files, and keeps nothing: no contracts, no lake, no provenance, no tests, no gate, no release.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

TERRITORY = [
    # neighbours in the order of ids are neighbours in the order of codes
    """create table areas as
    select cast(row_number() over (order by code) as integer) as area, code, level, parent from read_csv('{pack}/data/areas.csv', header = true)""",
    "create table finest as select area, code, parent from areas where level = 'municipality'",
    # the chain above every area of the finest level: as many steps as a pack can have levels
    """create table tree as
    with steps as (
        select f.area, a1.area as a1, a2.area as a2, a3.area as a3
        from finest as f
        left join areas as a1 on a1.code = f.parent left join areas as a2 on a2.code = a1.parent left join areas as a3 on a3.code = a2.parent
    )
    select area, 1 as step, a1 as ancestor from steps where a1 is not null
    union all select area, 2, a2 from steps where a2 is not null
    union all select area, 3, a3 from steps where a3 is not null""",
    "create table own (indicator smallint, area integer, year smallint, num double, den double)",
    "create table totals (indicator smallint, area integer, year smallint, num double, den double, coverage double)",
    "create table dispersion (indicator smallint, area integer, year smallint, n bigint, sd double, cv double, gini double, theil_t double)",
]

YEAR = "cast(regexp_extract(filename, '_([0-9]+)[.]parquet$', 1) as smallint)"

POPULATION = f"""create table population as
    select f.area, {YEAR} as year, cast(p.population as double) as den
    from read_parquet('{{pack}}/data/population_*.parquet', filename = true) as p inner join finest as f on f.code = p.code"""

# one statement for each source; a missing value is a row, too
OWN = f"""insert into own
    with wide as (
        select f.area, {YEAR} as year, g.* exclude (code, filename) replace ({{casts}})
        from read_parquet('{{pack}}/data/{{source}}_*.parquet', filename = true) as g inner join finest as f on f.code = g.code
    ),
    observed as (from wide unpivot include nulls (num for measure in (columns('^m[0-9]+$'))))
    select cast(substr(o.measure, 2) as smallint), o.area, o.year, o.num, p.den
    from observed as o inner join population as p on p.area = o.area and p.year = o.year"""

ROLL_UPS = """insert into totals
    select o.indicator, t.ancestor, o.year, sum(o.num), sum(o.den) filter (where o.num is not null),
        coalesce(sum(o.den) filter (where o.num is not null), 0) / sum(o.den)
    from own as o inner join tree as t on t.area = o.area and t.step = {step} group by all"""

VALUES = """create view shown as
    select indicator, area, year, num, den, case when num is null then 0.0 else 1.0 end as coverage, {multiplier} * num / den as value from own
    union all
    select indicator, area, year, num, den, coverage,
        case when coverage >= 0.9 then {multiplier} * num / den end from totals"""

DISPERSION = """insert into dispersion
    with ranked as (
        select o.indicator, t.ancestor, o.year, {multiplier} * o.num / o.den as y,
            row_number() over (partition by o.indicator, t.ancestor, o.year order by o.num / o.den) as r
        from own as o inner join tree as t on t.area = o.area and t.step = {step} where o.num is not null
    ),
    sums as (
        select indicator, ancestor, year, count(*) as n, avg(y) as mean, stddev_pop(y) as sd, sum(r * y) as ranks, sum(y) as total,
            sum(y * ln(nullif(y, 0))) as logs
        from ranked group by all
    )
    select indicator, ancestor, year, n, sd, sd / mean, (2 * ranks / n - total * (n + 1) / n) / total, logs / total - ln(mean)
    from sums where n >= 3"""

TABLES = {
    "indicator_values": """select 'ratio' || v.indicator as indicator, a.code as ref_area, v.year as time_period, a.level, v.value as obs_value,
        v.num as numerator, v.den as denominator, v.coverage
    from shown as v inner join areas as a on a.area = v.area order by v.indicator, v.area, v.year""",
    "cohesion_dispersion": """select 'ratio' || d.indicator as indicator, a.code as within, d.year as time_period, d.n, d.sd, d.cv, d.gini, d.theil_t
    from dispersion as d inner join areas as a on a.area = d.area order by d.indicator, d.area, d.year""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--multiplier", type=int, required=True)
    parser.add_argument("--memory", default="2GB", help="DuckDB's memory limit.")
    options = parser.parse_args()
    steps = {step: round(seconds, 2) for step, seconds in run(options.pack, options.out, options.multiplier, options.memory)}
    print(json.dumps({"steps": steps}))


def run(pack: Path, out: Path, multiplier: int, memory: str) -> Iterator[tuple[str, float]]:
    """Write the tables of `pack` below `out`; yield the seconds of each step."""
    clock = time.perf_counter()

    def lap() -> float:
        nonlocal clock
        before, clock = clock, time.perf_counter()
        return clock - before

    out.mkdir(parents=True)
    connection = duckdb.connect(
        str(out / "floor.duckdb"), config={"memory_limit": memory, "temp_directory": str(out / "spill"), "preserve_insertion_order": False}
    )
    for statement in TERRITORY:
        connection.execute(statement.format(pack=pack))
    connection.execute(POPULATION.format(pack=pack))
    for source in sorted({path.name.rpartition("_")[0] for path in (pack / "data").glob("group*.parquet")}):
        connection.execute(OWN.format(pack=pack, source=source, casts=_casts(pack, source)))
    yield "read", lap()
    above = [step for (step,) in connection.execute("select distinct step from tree order by step").fetchall()]
    for step in above:
        connection.execute(ROLL_UPS.format(step=step))
    connection.execute(VALUES.format(multiplier=multiplier))
    yield "roll-ups", lap()
    for step in above:
        connection.execute(DISPERSION.format(step=step, multiplier=multiplier))
    yield "dispersion", lap()
    connection.execute("set preserve_insertion_order = true")
    for name, query in TABLES.items():
        connection.execute(f"copy ({query}) to '{out}/{name}.parquet' (format parquet, compression zstd)")
        connection.execute(f"copy (from '{out}/{name}.parquet') to '{out}/{name}.csv' (format csv, header true)")
    yield "write", lap()


def _casts(pack: Path, source: str) -> str:
    """Return the expressions that make doubles of all measures of a source."""
    names = duckdb.execute(
        "select distinct name from parquet_schema(?) where regexp_full_match(name, 'm[0-9]+')", [f"{pack}/data/{source}_*.parquet"]
    )
    return ", ".join(f"cast({name} as double) as {name}" for (name,) in names.fetchall())


if __name__ == "__main__":
    main()
