"""Common queries on a release, as a view and table macros for its DuckDB file. Only SQL texts; runs nothing.

The SQL always qualifies columns with their table: an unqualified name that is also a parameter of the macro would mean the parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exports.model.tables import Table
from pipelines.core.sql import identifier

VIEWS = ("latest",)
"""Names of the queries that are views."""
NEEDED = {"indicator", "ref_area", "time_period", "sex", "age", "level", "obs_value", "obs_status", "coverage", "unit_measure"}
NEEDED |= {"numerator", "denominator"}
DESCRIPTIONS = {
    "title": "Title of the indicator",
    "name": "Name of the area",
    "inside": "Names of the areas that the area is in today, the smallest first",
}
INTERVAL = ("lower_95", "upper_95")
"""Columns that not every release has."""


@dataclass(frozen=True)
class Query:
    """A view (without parameters) or a table macro."""

    name: str
    description: str
    sql: str
    parameters: tuple[str, ...] | None = None
    translations: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def descriptions(self) -> dict[str, str]:
        """The description by language, English first."""
        return {"en": self.description, **self.translations}


def queries(tables: Sequence[Table], languages: Sequence[str]) -> list[Query]:
    """Return the queries that `tables` can answer. Titles are in the first of `languages` that the table `indicators` has."""
    columns = {table.name: {column.name for column in table.columns} for table in tables}
    available: list[Query] = []
    if columns.get("indicator_values", set()) >= NEEDED and {"ref_area", "name"} <= columns.get("areas", set()):
        title = next((f"title_{lang}" for lang in languages if f"title_{lang}" in columns.get("indicators", set())), None)
        interval = [name for name in INTERVAL if name in columns["indicator_values"]]
        available += _value_queries(title, interval, _areas_above(columns))
    if {"ref_area", "position", "peer", "distance"} <= columns.get("peers", set()) and {"ref_area", "name"} <= columns.get("areas", set()):
        available.append(PEERS)
    return available


PEERS = Query(
    "peers",
    "The areas that are most similar to an area, the most similar first. peers('CZ_554782')",
    """
    select
        p.position,
        p.peer,
        a.name,
        p.distance
    from peers as p
    inner join areas as a on a.ref_area = p.peer
    where p.ref_area = area
    order by p.position
    """,
    ("area",),
    {"cs": "Území, která jsou danému území nejpodobnější, od nejpodobnějšího. peers('CZ_554782')"},
)


def _areas_above(columns: Mapping[str, set[str]]) -> str | None:
    """Return the SQL for the tables `above` and `inside`, which name the areas above each area; None if the release does not know them."""
    links = columns.get("area_parents", set())
    if not {"ref_area", "parent"} <= links or "level" not in columns["areas"]:
        return None
    today = "u.valid_to is null" if "valid_to" in links else "true"
    return f"""
    links as (
        select distinct
            u.ref_area,
            u.parent
        from area_parents as u
        where {today}
    ),

    above as (
        select
            u.ref_area,
            u.parent
        from links as u
        union
        select
            b.ref_area,
            u.parent
        from above as b
        inner join links as u on u.ref_area = b.parent
    ),

    sizes as (
        select
            s.level,
            count(*) as areas_of_level
        from areas as s
        group by s.level
    ),

    inside as (
        select
            b.ref_area,
            string_agg(n.name, ', ' order by s.areas_of_level desc, n.name) as names
        from above as b
        inner join areas as n on n.ref_area = b.parent
        inner join sizes as s on s.level = n.level
        group by b.ref_area
    ),
    """


def _value_queries(title: str | None, interval: Sequence[str], above: str | None) -> list[Query]:
    titled = f"i.{identifier(title)}" if title else "v.indicator"
    indicators = "left join indicators as i on i.indicator = v.indicator" if title else ""
    ends = {alias: "".join(f"{alias}.{name},\n        " for name in interval) for alias in ("v", "l")}
    inside = "o.names as inside,\n        " if above else ""
    latest = f"""
    with recursive {above or ""} last_periods as (
        select
            w.indicator,
            max(w.time_period) as time_period
        from indicator_values as w
        where w.obs_value is not null
        group by w.indicator
    )

    select
        v.indicator,
        {titled} as title,
        v.ref_area,
        a.name,
        {inside}v.level,
        v.time_period,
        v.sex,
        v.age,
        v.obs_value,
        v.obs_status,
        {ends["v"]}v.unit_measure,
        v.coverage
    from indicator_values as v
    inner join last_periods as p on p.indicator = v.indicator and p.time_period = v.time_period
    inner join areas as a on a.ref_area = v.ref_area
    {"left join inside as o on o.ref_area = v.ref_area" if above else ""}
    {indicators}
    """
    series = f"""
    select
        v.time_period,
        v.sex,
        v.age,
        v.obs_value,
        v.obs_status,
        {ends["v"]}v.unit_measure,
        v.numerator,
        v.denominator,
        v.coverage
    from indicator_values as v
    where v.indicator = indicator and v.ref_area = area
    order by v.sex, v.age, v.time_period
    """
    compare = f"""
    select
        l.indicator,
        l.title,
        l.unit_measure,
        l.time_period,
        l.ref_area,
        l.name,
        {"l.inside," if above else ""}
        {ends["l"]}l.obs_value,
        l.obs_status
    from latest as l
    where list_contains(areas, l.ref_area) and l.sex = '_T' and l.age = '_T'
    order by l.indicator, list_position(areas, l.ref_area)
    """
    return [
        Query(
            "latest",
            "Each indicator in the last period for which any area has a value, by area, sex and age, with titles, names and intervals.",
            latest,
            translations={
                "cs": "Každý ukazatel za poslední období, za které má aspoň jedno území hodnotu: území, pohlaví, věk, s názvy a intervaly."
            },
        ),
        Query(
            "series",
            "All values of an indicator for one area, by period. series('population', 'CZ_554782')",
            series,
            ("indicator", "area"),
            {"cs": "Všechny hodnoty ukazatele za jedno území podle období. series('population', 'CZ_554782')"},
        ),
        Query(
            "compare",
            "The latest totals of all indicators for several areas, one row per indicator and area. compare(['CZ_554782', 'CZ_582786'])",
            compare,
            ("areas",),
            {
                "cs": "Poslední celkové hodnoty všech ukazatelů za několik území, řádek za ukazatel a území. compare(['CZ_554782', 'CZ_582786'])"
            },
        ),
    ]
