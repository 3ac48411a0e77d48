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
}


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
        available += _value_queries(title)
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


def _value_queries(title: str | None) -> list[Query]:
    titled = f"i.{identifier(title)}" if title else "v.indicator"
    indicators = "left join indicators as i on i.indicator = v.indicator" if title else ""
    latest = f"""
    with last_periods as (
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
        v.level,
        v.time_period,
        v.sex,
        v.age,
        v.obs_value,
        v.obs_status,
        v.unit_measure,
        v.coverage
    from indicator_values as v
    inner join last_periods as p on p.indicator = v.indicator and p.time_period = v.time_period
    inner join areas as a on a.ref_area = v.ref_area
    {indicators}
    """
    series = """
    select
        v.time_period,
        v.sex,
        v.age,
        v.obs_value,
        v.obs_status,
        v.unit_measure,
        v.numerator,
        v.denominator,
        v.coverage
    from indicator_values as v
    where v.indicator = indicator and v.ref_area = area
    order by v.sex, v.age, v.time_period
    """
    compare = """
    select
        l.indicator,
        l.title,
        l.unit_measure,
        l.time_period,
        l.ref_area,
        l.name,
        l.obs_value,
        l.obs_status
    from latest as l
    where list_contains(areas, l.ref_area) and l.sex = '_T' and l.age = '_T'
    order by l.indicator, list_position(areas, l.ref_area)
    """
    return [
        Query(
            "latest",
            "Each indicator in the last period for which any area has a value, by area, sex and age, with titles and names.",
            latest,
            translations={
                "cs": "Každý ukazatel za poslední období, za které má aspoň jedno území hodnotu: území, pohlaví, věk, s názvy ukazatelů a území."
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
