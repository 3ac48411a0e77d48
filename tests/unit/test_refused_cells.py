"""A measure of two sources where the cell of the first one is refused: the second one's value stands, with a warning."""

from __future__ import annotations

import pytest

from tests.support.one_model import DBT, Table, asked, expanded, sql_of, variables

Q = variables()["status_ranks"]["Q"]
CELLS = (
    "source_position integer, measure_key integer, area_key integer, period_key integer, breakdown_key integer, obs_value double, "
    "status_rank integer"
)
MEASURES = (
    "measure_key integer, measure varchar, source varchar, additive boolean, divisible boolean, weighted_by_key integer, is_counted boolean"
)


def cells(*values: float | None) -> Table:
    """Return one cell as each source reports it; None is refused."""
    place = {"measure_key": 1, "area_key": 1, "period_key": 20200000, "breakdown_key": 0}
    return [{**place, "source_position": i, "obs_value": v, "status_rank": Q if v is None else 1} for i, v in enumerate(values)]


def query(sql: str, rows: Table) -> Table:
    measures = [
        {"measure_key": 1, "measure": "m", "source": s, "additive": True, "divisible": True, "is_counted": False} for s in ("a", "b", "c")
    ]
    scope = ("measure_key integer, in_scope boolean", [{"measure_key": 1, "in_scope": True}])
    tables = {"int_source_observations": (CELLS, rows), "stg_measures": (MEASURES, measures), "int_measure_scope": scope}
    return asked(sql, tables)


@pytest.mark.parametrize(
    ("values", "used", "is_warned"),
    [
        ((1, 2), (0, 1), False),
        ((None, 2), (1, 2), True),
        ((None, None, 3), (2, 3), True),
        ((1, None), (0, 1), False),
        ((None, None), (0, None), False),
    ],
)
def test_the_first_source_whose_cell_is_not_refused_is_used(
    values: tuple[float | None, ...], used: tuple[int, float | None], is_warned: bool
) -> None:
    [row] = query(sql_of("int_reported_observations"), cells(*values))
    assert (row["source_position"], row["obs_value"]) == used
    warning = expanded((DBT / "tests" / "refused_cells_have_another_source.sql").read_text(encoding="utf-8"))
    assert len(query(warning, cells(*values))) == is_warned
