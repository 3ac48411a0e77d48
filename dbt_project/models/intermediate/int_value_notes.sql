-- grain: one row per indicator, period and area with a note of a source on what its values read, whatever their sex and age
-- Of several notes the first one stands: in the order of sources by file name, and in a source in that of the declaration.
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with notes_on_rows as (
    select
        m.measure_key,
        a.area_key,
        {{ key_of_longer(period_key('o.time_period'), 'm.to_period') }} as period_key,
        o.note
    from {{ ref('stg_observations') }} as o
    inner join {{ ref('stg_measures') }} as m on m.measure = o.measure and m.source = o.source
    inner join {{ ref('dim_area') }} as a on a.ref_area = o.ref_area
    where o.note is not null
),

periods_of_sources as (
    select distinct source, time_period
    from {{ ref('stg_source_presence') }}
),

-- notes on areas, in the periods of the source in which they have no row
notes_on_areas as (
    select
        m.measure_key,
        a.area_key,
        {{ key_of_longer(period_key('p.time_period'), 'm.to_period') }} as period_key,
        n.note
    from {{ ref('stg_area_notes') }} as n
    inner join {{ ref('stg_measures') }} as m on m.measure = n.measure and m.source = n.source
    inner join {{ ref('dim_area') }} as a on a.ref_area = n.ref_area
    inner join periods_of_sources as p on p.source = n.source
    left join {{ ref('stg_observations') }} as o
        on o.source = n.source and o.measure = n.measure and o.ref_area = n.ref_area and o.time_period = p.time_period
    where o.source is null
),

notes_on_cells as (
    select measure_key, area_key, period_key, note from notes_on_rows
    union
    select measure_key, area_key, period_key, note from notes_on_areas
    union
    -- a note on an area that has changed is also one on what it became
    select
        n.measure_key,
        s.area_key,
        n.period_key,
        n.note
    from notes_on_rows as n
    inner join {{ ref('int_area_origins') }} as s on s.origin_key = n.area_key and s.period_key = n.period_key
),

notes_on_values as (
    select
        r.indicator_key,
        r.period_key,
        n.area_key,
        n.note,
        d.always,
        d.is_undefined,
        row_number() over (partition by r.indicator_key, r.period_key, n.area_key order by s.position, d.position) as place,
        row_number() over (partition by r.indicator_key, r.period_key, n.area_key, d.always order by s.position, d.position) as place_if_always
    from {{ ref('int_read_periods') }} as r
    inner join notes_on_cells as n on n.measure_key = r.measure_key and n.period_key = r.at_period
    inner join {{ ref('stg_notes') }} as d on d.note = n.note
    inner join {{ ref('stg_sources') }} as s on s.source = d.source
    where {{ in_scope('r.indicator_key') }}
)

select
    indicator_key,
    period_key,
    area_key,
    max(case when place = 1 then note end) as note,
    max(case when always and place_if_always = 1 then note end) as note_always,
    bool_or(place = 1 and is_undefined) as is_undefined
from notes_on_values
group by indicator_key, period_key, area_key
