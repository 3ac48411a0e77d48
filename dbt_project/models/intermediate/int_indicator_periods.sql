-- grain: one row per indicator and period in which a measure of its numerator has an observation or a quarantined row, or a source is down
with numerators as (
    -- a measure that is taken at a level above says nothing about the finest level
    select distinct
        indicator_key,
        coalesce(counted_key, measure_key) as measure_key,
        counted_key is not null as has_level
    from {{ ref('int_terms') }}
    where is_numerator
),

-- the finest level at which a measure has data in a period
measure_periods as (
    select
        o.measure_key,
        o.period_key,
        min(a.level_position) as finest_position
    from {{ ref('int_source_observations') }} as o
    inner join {{ ref('dim_area') }} as a on a.area_key = o.area_key
    group by o.measure_key, o.period_key
),

-- a quarantined row of an unknown area has no level
rows_without_area as (
    select distinct
        m.measure_key,
        {{ key_of_longer(period_key('o.time_period'), 'm.to_period') }} as period_key,
        cast(null as smallint) as finest_position
    from {{ ref('stg_observations') }} as o
    inner join {{ ref('stg_measures') }} as m on m.measure = o.measure and m.source = o.source
    where o.ref_area is null
),

down as (
    select
        measure_key,
        period_key,
        cast(null as smallint) as finest_position
    from ({{ measures_of_sources_down() }})
    where period_key is not null
),

periods_of_measures as (
    select measure_key, period_key, finest_position from measure_periods
    union all
    select measure_key, period_key, finest_position from rows_without_area
    union all
    select measure_key, period_key, finest_position from down
),

periods as (
    select
        n.indicator_key,
        p.period_key,
        min(case when n.has_level then p.finest_position end) as finest_position
    from numerators as n
    inner join periods_of_measures as p on p.measure_key = n.measure_key
    group by n.indicator_key, p.period_key
),

-- periods without any data use the finest level that the indicator declares
declared_levels as (
    select
        indicator_key,
        min(level_position) as finest_position
    from {{ ref('int_indicator_levels') }}
    group by indicator_key
)

select
    p.indicator_key,
    p.period_key,
    cast(coalesce(p.finest_position, d.finest_position) as smallint) as finest_position
from periods as p
inner join declared_levels as d on d.indicator_key = p.indicator_key
