"""Old numbers that `changes` must not repeat: those of cells that are confidential now, and those that were computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from exports.changes.pairs import DIFFERING, Pair
from exports.changes.published import REVISED_TABLE
from pipelines.core.sql import literal

SHOWN = ("obs_value", "numerator", "denominator")
COMPONENTS = "index_components"


@dataclass(frozen=True)
class Masked:
    """The indicators with cells that the old release shows and the new one keeps confidential, and the indices that read them."""

    indicators: frozenset[str] = frozenset()
    indices: frozenset[str] = frozenset()


def find(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Pair]) -> Masked:
    """Compare the statuses of both releases."""
    values = tables.get(REVISED_TABLE)
    if values is None or values.old is None or values.new is None or not values.comparable:
        return Masked()
    shown = [name for name in SHOWN if name in values.old.types]
    if "obs_status" not in values.new.types or not shown:
        return Masked()
    keys = " and ".join(f"o.{key} = n.{key}" for key in values.new.key)
    indicators = connection.execute(
        f"select distinct n.indicator from {values.new.relation} as n inner join {values.old.relation} as o on {keys} "
        f"where n.obs_status = 'C' and coalesce({', '.join(f'o.{name}' for name in shown)}) is not null"
    ).fetchall()
    masked = frozenset(name for (name,) in indicators)
    indices: set[str] = set()
    components = tables.get(COMPONENTS)
    for side in (components.old, components.new) if components and masked else ():
        if side is not None:
            names = ", ".join(map(literal, sorted(masked)))
            rows = connection.execute(f'select distinct "index" from {side.relation} where indicator in ({names})').fetchall()
            indices.update(name for (name,) in rows)
    return Masked(masked, frozenset(indices))


def apply(connection: duckdb.DuckDBPyConnection, pair: Pair, masked: Masked) -> None:
    """Remove the old numbers from the rows that differ. Their statuses stay."""
    if not masked.indicators or pair.old is None:
        return
    kept = {"coverage"} if pair.name == REVISED_TABLE else set[str]()  # suppression leaves the coverage of a cell as it is
    numbers = [i for i, name in enumerate(pair.values) if name not in kept and pair.old.types.get(name, "VARCHAR") != "VARCHAR"]
    if numbers:
        removed = ", ".join(f"o{i} = null" for i in numbers)
        connection.execute(f"update {DIFFERING} set {removed} where {_condition(pair, masked)}")


def _condition(pair: Pair, masked: Masked) -> str:
    old = pair.old
    assert old is not None
    names = ", ".join(map(literal, sorted(masked.indicators)))
    indices = ", ".join(map(literal, sorted(masked.indices))) or "null"
    of_indicator = f"json_extract_string(key, '$.indicator') in ({names})"
    if pair.name == REVISED_TABLE:
        return f"{of_indicator} and (n{pair.values.index('obs_status')} = 'C' or whole = 'withdrawn')"
    if "indicator" in old.key:
        return of_indicator
    if "index" in old.key:
        return f"json_extract_string(key, '$.index') in ({indices})"
    return "true" if pair.name == "peers" else "false"
