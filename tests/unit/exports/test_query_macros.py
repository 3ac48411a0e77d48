"""The common queries of the DuckDB file: names of the areas above, and intervals where a release has them."""

from __future__ import annotations

import duckdb
import pytest

from exports import Column, Table
from exports.formats import query_macros

VALUES = ("indicator", "ref_area", "time_period", "sex", "age", "level", "obs_status", "unit_measure")
NUMBERS = ("obs_value", "numerator", "denominator", "coverage", "lower_95", "upper_95")
FILL = """
create table areas as select * from (values
    ('a', 'Kolín', 'lau'), ('b', 'Kutná Hora', 'lau'), ('c', 'Beroun', 'lau'), ('D', 'Kolín', 'okres'), ('E', 'Beroun', 'okres'),
    ('R', 'Středočeský kraj', 'nuts3')) t(ref_area, name, level);
create table area_parents as select * from (values
    ('a', 'D', null), ('b', 'D', '2006-12-31'), ('b', 'E', null), ('D', 'R', null), ('E', 'R', null)) t(ref_area, parent, valid_to);
create table indicators as select 'share' as indicator, 'Share' as title_en, 'Podíl' as title_cs;
create table indicator_values as
    select 'share' as indicator, ref_area, '2024' as time_period, '_T' as sex, '_T' as age, level, 'A' as obs_status, '%' as unit_measure,
        10.0 as obs_value, 1.0 as numerator, 10.0 as denominator, 1.0 as coverage, 9.5 as lower_95, 10.5 as upper_95
    from areas;
"""


def tables(numbers: tuple[str, ...] = NUMBERS, with_links: bool = True) -> list[Table]:
    def texts(*names: str) -> tuple[Column, ...]:
        return tuple(Column(name, "VARCHAR", f"About {name}") for name in names)

    return [
        Table("areas", "Areas.", texts("ref_area", "name", "level"), ("ref_area",)),
        *([Table("area_parents", "Parents.", texts("ref_area", "parent", "valid_to"), ("ref_area", "parent"))] if with_links else []),
        Table("indicators", "Indicators.", texts("indicator", "title_en", "title_cs"), ("indicator",)),
        Table(
            "indicator_values", "Values.", (*texts(*VALUES), *(Column(name, "DOUBLE", f"About {name}") for name in numbers)),
            ("indicator", "ref_area", "time_period", "sex", "age"),
        ),
    ]  # fmt: skip


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(FILL)
    return connection


def create(connection: duckdb.DuckDBPyConnection, described: list[Table]) -> None:
    for query in query_macros.queries(described, ["cs", "en"]):
        if query.parameters is None:
            connection.execute(f"create view {query.name} as {query.sql}")
        else:
            connection.execute(f"create macro {query.name}({', '.join(query.parameters)}) as table {query.sql}")


def test_areas_above_are_named_from_the_smallest_on(connection: duckdb.DuckDBPyConnection) -> None:
    create(connection, tables())
    rows = connection.execute("select ref_area, title, inside, lower_95, upper_95 from latest order by ref_area").fetchall()
    assert rows == [
        ("D", "Podíl", "Středočeský kraj", 9.5, 10.5), ("E", "Podíl", "Středočeský kraj", 9.5, 10.5), ("R", "Podíl", None, 9.5, 10.5),
        ("a", "Podíl", "Kolín, Středočeský kraj", 9.5, 10.5), ("b", "Podíl", "Beroun, Středočeský kraj", 9.5, 10.5),
        ("c", "Podíl", None, 9.5, 10.5),
    ]  # fmt: skip
    compared = connection.execute("select ref_area, name, inside, lower_95, upper_95 from compare(['b', 'a'])").fetchall()
    assert compared == [("b", "Kutná Hora", "Beroun, Středočeský kraj", 9.5, 10.5), ("a", "Kolín", "Kolín, Středočeský kraj", 9.5, 10.5)]
    assert connection.execute("select lower_95, upper_95 from series('share', 'a')").fetchall() == [(9.5, 10.5)]


def test_a_release_without_intervals_and_links_has_neither(connection: duckdb.DuckDBPyConnection) -> None:
    create(connection, tables(NUMBERS[:4], with_links=False))
    for query in ("latest", "compare(['a'])"):
        columns = [name for name, *_ in connection.execute(f"describe from {query}").fetchall()]
        assert {"ref_area", "name", "obs_value"} <= set(columns)
        assert not {"inside", "lower_95", "upper_95"} & set(columns)
