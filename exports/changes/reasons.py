"""Find the reason for each changed row, as SQL over the rows that differ. The facts come from `exports.model.provenance`."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from exports.changes.pairs import DIFFERING, Pair, Side
from exports.changes.published import KINDS
from exports.model.foreign_keys import AREA_KEY
from exports.model.provenance import BOUNDARY, METHOD, REVISED, Provenance, Reasons
from pipelines.core.sql import identifier, literal

AREAS, PARENTS = "areas", "area_parents"
EXTENT = ("level", "valid_from", "valid_to", "area_km2")
"""Columns of an area that its numbers depend on."""
FIXED: Mapping[str, Mapping[str, int]] = {
    AREAS: dict.fromkeys(EXTENT, BOUNDARY),
    PARENTS: {"": BOUNDARY},
    "area_codes": {"": BOUNDARY},
    "indicators": {"collected": 0, "": METHOD},
    "sources": dict.fromkeys(("title", "publisher", "licence", "rights", "carrier", "homepage", "confidence"), METHOD),
}
"""Columns that always change for the same reason. '' stands for all other columns of the table, 0 for no fixed reason."""
_END = "9999"


def prepare(connection: duckdb.DuckDBPyConnection, reasons: Reasons, old: Provenance, new: Provenance, tables: Mapping[str, Pair]) -> None:
    """Create the temporary tables that `kind` joins."""
    redeclared = dict.fromkeys(sorted(reasons.redeclared), METHOD)
    for name, by_id in (
        ("why_source", reasons.source), ("why_indicator", reasons.indicator), ("why_declared", redeclared), ("why_index", reasons.index),
    ):  # fmt: skip
        connection.execute(f"create or replace temp table {name} (id varchar, reason integer)")
        if by_id:
            rows = ", ".join(f"({literal(k)}, {v})" for k, v in by_id.items())
            connection.execute(f"insert into {name} values {rows}")
    connection.execute("create or replace temp table why_area (id varchar, since varchar, until varchar)")
    _boundaries(connection, tables, {tuple(row) for row in old.area_changes} ^ {tuple(row) for row in new.area_changes})
    if reasons.unread and boundaries_changed(connection):  # only the territory reads these sources
        names = ", ".join(literal(name) for name in sorted(reasons.unread))
        connection.execute(f"update why_source set reason = {BOUNDARY} where id in ({names}) and reason > {BOUNDARY}")


def boundaries_changed(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(connection.execute("select count(*) from why_area").fetchall()[0][0])


def kind(connection: duckdb.DuckDBPyConnection, pair: Pair, fallback: int) -> tuple[str, str]:
    """Return the SQL expression for the kind of a changed row `d`, and the joins that it needs. Creates temporary tables for them.

    The most specific reason counts: the declaration of the indicator or index, then the area, then the sources of the row, then the
    sources of the indicator or index, then `fallback`.
    """
    side = pair.new or pair.old
    assert side is not None
    at = {name: i for i, name in enumerate(pair.values)}
    near, far, joins = [], [], ""

    def cell(name: str) -> str:
        return f"json_extract_string(d.key, {literal('$.' + name)})" if name in side.key else f"coalesce(d.n{at[name]}, d.o{at[name]})"

    if "index" in side.key:
        near.append("i.reason")
        joins += f" left join why_index as i on i.id = {cell('index')}"
    if "indicator" in side.key:
        near.append("w.reason")
        far.append("v.reason")
        joins += f" left join why_declared as w on w.id = {cell('indicator')} left join why_indicator as v on v.id = {cell('indicator')}"
    if "source" in side.key:
        near.append("s.reason")
        # counts of a source that did not change itself: its rows meet other areas
        far.append(str(BOUNDARY if boundaries_changed(connection) else REVISED))
        joins += f" left join why_source as s on s.id = {cell('source')}"
    if "sources" in at and side.types.get("sources") == "VARCHAR":
        connection.execute(_of_sources(at["sources"]))
        near.append("m.reason")
        joins += f" left join why_sources as m on m.id = {cell('sources')}"
    area = next((name for name in (AREA_KEY, "within") if name in side.key), None)
    if area is not None and pair.name not in FIXED:
        period = cell("time_period") if "time_period" in side.key else "''"
        connection.execute(_of_areas(cell(area), period))
        near.append("b.reason")
        joins += f" left join why_place as b on b.id = {cell(area)} and b.time_period = {period}"
    nearest = f"least({', '.join(near)})" if len(near) > 1 else (near or ["null"])[0]
    return _kind_name(f"coalesce({', '.join([nearest, *far, str(fallback)])})"), joins


def fixed(pair: Pair, column: str) -> str | None:
    """Return the kind that every change of `column` has; None if it depends on the row."""
    columns = FIXED.get(pair.name, {})
    return KINDS.get(columns.get(column, columns.get("", 0)))


def _kind_name(reason: str) -> str:
    return f"case {reason} " + " ".join(f"when {number} then {literal(name)}" for number, name in KINDS.items()) + " end"


def _of_sources(i: int) -> str:
    """Grain: one row per list of sources in a changed row."""
    return f"""
        create or replace temp table why_sources as
        with lists as (select distinct coalesce(n{i}, o{i}) as id from {DIFFERING} where whole is null),
        members as (select id, unnest(string_split(id, ';')) as source from lists where id <> '')
        select members.id, min(why_source.reason) as reason
        from members
        inner join why_source on why_source.id = members.source
        group by members.id"""


def _of_areas(area: str, period: str) -> str:
    """Grain: one row per area and period of a changed row whose boundaries differ in that period; without a period, at any time."""
    return f"""
        create or replace temp table why_place as
        with places as (select distinct {area} as id, {period} as time_period from {DIFFERING} as d where whole is null),
        days as (
            select id, time_period,
                case
                    when regexp_full_match(time_period, '\\d{{4}}') then time_period || '-01-01'
                    when regexp_full_match(time_period, '\\d{{4}}-Q\\d') then
                        left(time_period, 5) || lpad((3 * right(time_period, 1)::integer - 2)::varchar, 2, '0') || '-01'
                    when regexp_full_match(time_period, '\\d{{4}}-\\d\\d') then time_period || '-01'
                    else time_period
                end as day
            from places
        )
        select distinct days.id, days.time_period, {BOUNDARY} as reason
        from days
        inner join why_area as a on a.id = days.id and (days.day = '' or (a.since <= days.day and days.day < a.until))"""


def _boundaries(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Pair], moved: set[tuple[str, ...]]) -> None:
    """Fill why_area with the areas whose inner areas differ or that an area change names, and with the time for which this is so."""
    areas, parents = tables.get(AREAS), tables.get(PARENTS)
    if areas is None or not areas.comparable or areas.new is None or areas.old is None:
        return
    sides = {"old": (areas.old, parents.old if parents else None), "new": (areas.new, parents.new if parents else None)}
    for name, (area, links) in sides.items():
        connection.execute(f"create or replace temp table inside_{name} as {_inside(area, links)}")
    connection.execute("""
        insert into why_area
        select coalesce(o.id, n.id),
            case when o.id is null or n.id is null then coalesce(o.since, n.since) when o.since <> n.since then least(o.since, n.since)
                else least(o.until, n.until) end,
            case when o.id is null or n.id is null then coalesce(o.until, n.until) when o.until <> n.until then greatest(o.until, n.until)
                else greatest(o.since, n.since) end
        from inside_old as o
        full join inside_new as n on n.id = o.id and n.ref_area = o.ref_area and n.extent = o.extent
        where o.id is null or n.id is null or o.since <> n.since or o.until <> n.until""")
    for row in sorted(moved):
        names = ", ".join(literal(name) for name in row[:2])
        above = f"select distinct id from (from inside_old union from inside_new) where ref_area in ({names})"
        connection.execute(f"insert into why_area select id, '', '{_END}' from ({above})")


def _inside(areas: Side, parents: Side | None) -> str:
    """Grain: one row per area inside another, by any path, for an uninterrupted time. Every area is inside itself."""
    links = (
        f"""
        select ref_area, parent, {_column(parents, "valid_from", "''")} as since, {_column(parents, "valid_to", f"'{_END}'")} as until
        from {parents.relation}"""
        if parents
        else "select '' as ref_area, '' as parent, '' as since, '' as until where false"
    )
    extent = ", ".join(f"coalesce({identifier(c)}::varchar, '')" for c in EXTENT if c in areas.types and not c.startswith("valid"))
    return f"""
        with recursive links as ({links}),
        own as (
            select ref_area, concat_ws('|', {extent or "''"}) as extent,
                {_column(areas, "valid_from", "''")} as since, {_column(areas, "valid_to", f"'{_END}'")} as until
            from {areas.relation}
        ),
        inside as (
            select ref_area as id, ref_area, extent, since, until from own
            union
            select links.parent as id, inside.ref_area, inside.extent,
                greatest(inside.since, links.since) as since, least(inside.until, links.until) as until
            from inside
            inner join links on links.ref_area = inside.id
            where greatest(inside.since, links.since) < least(inside.until, links.until)
        ),
        -- inside by one path until some day and by another path from that day on: inside without interruption
        covered as (
            select id, ref_area, extent, since, until,
                max(until) over (
                    partition by id, ref_area, extent order by since, until rows between unbounded preceding and 1 preceding
                ) as before
            from inside
        ),
        islands as (
            select id, ref_area, extent, since, until,
                sum((before is null or before < since)::integer) over (
                    partition by id, ref_area, extent order by since, until rows unbounded preceding
                ) as island
            from covered
        )
        select id, ref_area, extent, min(since) as since, max(until) as until
        from islands
        group by id, ref_area, extent, island"""


def _column(side: Side | None, name: str, otherwise: str) -> str:
    return f"coalesce({identifier(name)}, {otherwise})" if side and name in side.types else otherwise
