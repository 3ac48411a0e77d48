-- grain: one indicator and period in which one of its numerator measures has an observation or a quarantined row, or its source is down
with numerators as (
    select distinct indicator, measure
    from {{ ref('stg_terms') }}
    where side = 'numerator'
),

-- the finest level at which a measure has data in a period; a quarantined row of unknown place says nothing of the level
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
        m.measure,
        d.time_period,
        cast(null as bigint) as finest
    from {{ ref('stg_down') }} as d
    inner join {{ ref('stg_measures') }} as m on m.source = d.source
    where d.time_period is not null
),

periods as (
    select
        n.indicator,
        p.time_period,
        min(p.finest) as finest
    from numerators as n
    inner join (select * from measure_periods union all select * from down) as p on p.measure = n.measure
    group by n.indicator, p.time_period
),

-- without any data the indicator's own finest level stands
declared as (
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
inner join declared as d on d.indicator = p.indicator
inner join {{ ref('stg_levels') }} as l on l.position = coalesce(p.finest, d.finest)
