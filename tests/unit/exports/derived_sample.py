"""A small warehouse whose tables have every column that a derived format needs."""

from __future__ import annotations

from exports import Column, Table

VALUES = Table(
    "indicator_values",
    "Values.",
    (
        *(Column(name, "VARCHAR", f"About {name}") for name in ("indicator", "ref_area", "time_period", "sex", "age", "level")),
        Column("obs_value", "DOUBLE", "The value"),
        Column("obs_status", "VARCHAR", "The status", values=("A", "B", "C", "M", "O", "Q", "L", "S", "Z")),
        *(Column(name, "DOUBLE", f"About {name}") for name in ("numerator", "denominator")),
        Column("coverage", "DOUBLE", "The coverage", "1", 0, 1),
        *(Column(name, "VARCHAR", f"About {name}") for name in ("unit_measure", "sources")),
    ),
    ("indicator", "ref_area", "time_period", "sex", "age"),
)
AREAS = Table(
    "areas",
    "Areas.",
    (
        *(Column(name, "VARCHAR", f"About {name}") for name in ("ref_area", "name", "level", "valid_to")),
        Column("lat", "DOUBLE", "Latitude", "degree", -90, 90),
        Column("lon", "DOUBLE", "Longitude", "degree", -180, 180),
    ),
    ("ref_area",),
)
PARENTS = Table(
    "area_parents",
    "Parents.",
    tuple(Column(name, "VARCHAR", f"About {name}") for name in ("ref_area", "parent", "valid_to")),
    ("ref_area", "parent"),
)
INDICATORS = Table(
    "indicators", "Indicators.", tuple(Column(n, "VARCHAR", n) for n in ("indicator", "title_en", "unit", "sources")), ("indicator",)
)
LATEST = Table(
    "latest_values",
    "The latest.",
    (Column("ref_area", "VARCHAR", "The area"), Column("name", "VARCHAR", "Its name"), Column("share", "DOUBLE", "Share, %")),
    ("ref_area",),
)
PEERS = Table(
    "peers",
    "Similar areas.",
    (
        Column("ref_area", "VARCHAR", "The area"),
        Column("position", "BIGINT", "The place"),
        Column("peer", "VARCHAR", "The similar area"),
        Column("distance", "DOUBLE", "How far"),
    ),
    ("ref_area", "position"),
)
FILL = """
create schema marts;
create table marts.areas (ref_area varchar, name varchar, level varchar, valid_to varchar, lat double, lon double);
insert into marts.areas values
    ('001', 'Brno', 'lau', null, 49.2, 16.6), ('002', '=sum', 'lau', null, 50, 14.5), ('CZ é', 'Žďa\u0301r', 'lau', null, null, null);
create table marts.area_parents (ref_area varchar, parent varchar, valid_to varchar);
create table marts.indicators as select * from (values
    ('never', 'Never', '1', ''), ('share', 'Share', '%', 'office')) t(indicator, title_en, unit, sources);
create table marts.indicator_values as
    select 'share' as indicator, ref_area, (2000 + p)::varchar as time_period, '_T' as sex, '_T' as age, 'lau' as level,
           case when p % 3 = 0 then p / 7.0 end::double as obs_value, ['A', 'C', 'Q', 'B', 'O', 'Z', 'A', 'M', 'S'][p + 1] as obs_status,
           1.0::double as numerator, null::double as denominator, 1.0::double as coverage, '%' as unit_measure, 'office' as sources
    from marts.areas, range(9) t(p);
insert into marts.indicator_values values ('never', '001', '', '_T', '_T', 'lau', null, 'O', null, null, 0, '1', '');
create table marts.latest_values as select ref_area, name, (6 / 7.0)::double as share from marts.areas;
create table marts.peers as select * from (values ('001', 1::bigint, '002', 0.5::double)) t(ref_area, position, peer, distance);
"""
TABLES = (AREAS, PARENTS, INDICATORS, VALUES, LATEST, PEERS)
