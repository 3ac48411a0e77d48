-- grain: one row per measure, period and area that is expected to report it
{{ config(materialized="incremental", pre_hook="{{ delete_scope('measure') }}") }}
with presence as (
    select
        p.source,
        a.area_key,
        d.period_key
    from {{ ref('stg_source_presence') }} as p
    inner join {{ ref('dim_area') }} as a on a.ref_area = p.ref_area
    inner join {{ ref('dim_period') }} as d on d.time_period = p.time_period
),

declared_areas as (
    select
        u.source,
        a.area_key,
        p.period_key
    from {{ ref('stg_universe') }} as u
    inner join {{ ref('dim_area') }} as a on a.ref_area = u.ref_area
    inner join (select distinct source, period_key from presence) as p on p.source = u.source
),

areas_with_rows as (
    select
        source,
        area_key,
        period_key
    from presence
    where source not in (select source from {{ ref('stg_measures') }} where has_universe)
),

reporting_areas as (
    select source, area_key, period_key from declared_areas
    union all
    select source, area_key, period_key from areas_with_rows
),

-- areas that have changed since are replaced by what they became
current_areas as (
    select source, area_key, period_key from reporting_areas
    union
    select r.source, s.area_key, r.period_key
    from reporting_areas as r
    inner join {{ ref('dim_period') }} as p on p.period_key = r.period_key
    inner join {{ ref('int_area_successions') }} as s
        on s.origin_key = r.area_key and {{ succession_holds_on('s', 'p.first_day') }}
),

read_measures as (
    select distinct measure_key
    from ({{ measures_of_terms() }})
)

select distinct
    m.measure_key,
    {{ key_of_longer('r.period_key', 'm.to_period') }} as period_key,
    r.area_key
from current_areas as r
inner join {{ ref('stg_measures') }} as m on m.source = r.source
inner join read_measures as t on t.measure_key = m.measure_key
where {{ in_scope('m.measure_key', 'measure') }}
