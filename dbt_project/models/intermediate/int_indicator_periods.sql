-- grain: one row per indicator and period in which a measure of its numerator has an observation or a quarantined row, or a source is down
with numerators as (
    select distinct indicator, measure
    from {{ ref('stg_terms') }}
    where side = 'numerator'
),

-- the finest level at which a measure has data in a period; a quarantined row of an unknown area has no level
measure_periods as (
    select
        o.measure,
        o.time_period,
        min(l.position) as finest
    from {{ ref('stg_observations') }} as o
    left join {{ ref('stg_areas') }} as a on a.ref_area = o.ref_area
    left join {{ ref('stg_levels') }} as l on l.level = a.level
    group by o.measure, o.time_period
),

down as (
    select
        measure,
        time_period,
        cast(null as bigint) as finest
    from ({{ measures_of_sources_down() }})
    where time_period is not null
),

periods_of_measures as (
    select * from measure_periods
    union all
    select * from down
),

periods as (
    select
        n.indicator,
        p.time_period,
        min(p.finest) as finest
    from numerators as n
    inner join periods_of_measures as p on p.measure = n.measure
    group by n.indicator, p.time_period
),

-- periods without any data use the finest level that the indicator declares
declared_levels as (
    select
        il.indicator,
        min(l.position) as finest
    from {{ ref('stg_indicator_levels') }} as il
    inner join {{ ref('stg_levels') }} as l on l.level = il.level
    group by il.indicator
)

select
    p.indicator,
    p.time_period,
    coalesce(p.finest, d.finest) as finest_position,
    l.level as finest_level
from periods as p
inner join declared_levels as d on d.indicator = p.indicator
inner join {{ ref('stg_levels') }} as l on l.position = coalesce(p.finest, d.finest)
