-- grain: one row per weight of an indicator, period and area that is valid in it; no rows where each area counts once
with used as (
    select distinct weight, weight_key
    from {{ ref('stg_indicators') }}
    where weight_key is not null
),

weights as (
    select
        u.weight_key,
        o.area_key,
        o.period_key,
        o.obs_value,
        p.first_day
    from {{ ref('int_observations') }} as o
    inner join used as u on u.weight_key = o.measure_key
    inner join {{ ref('dim_period') }} as p on p.period_key = o.period_key
    where o.breakdown_key = {{ total() }} and o.obs_value is not null
),

valid_areas as (
    select
        u.weight_key,
        a.period_key,
        a.area_key,
        p.first_day
    from {{ ref('int_valid_areas') }} as a
    inner join {{ ref('dim_period') }} as p on p.period_key = a.period_key
    cross join used as u
    where not {{ is_built_in('u.weight') }}
),

-- of several periods that begin on one day (a year and its first quarter), use the first
by_day as (
    select
        weight_key,
        area_key,
        first_day,
        min(period_key) as period_key
    from weights
    group by weight_key, area_key, first_day
),

-- the days of both in one series for each area, to look backwards and forwards from the periods of the territory
days as (
    select weight_key, area_key, first_day, null as period_key, first_day as weight_day
    from by_day
    union all
    select weight_key, area_key, first_day, period_key, cast(null as date) as weight_day
    from valid_areas
),

nearest as (
    select
        weight_key,
        area_key,
        period_key,
        max(weight_day) over (partition by weight_key, area_key order by first_day range between unbounded preceding and current row) as earlier_day,
        min(weight_day) over (partition by weight_key, area_key order by first_day range between current row and unbounded following) as later_day
    from days
),

-- the weight of the period itself, else of the nearest earlier period in which the area has one, else of the nearest later one
chosen as (
    select
        n.weight_key,
        n.period_key,
        n.area_key,
        coalesce(own.period_key, d.period_key) as weight_period_key
    from nearest as n
    left join weights as own on own.weight_key = n.weight_key and own.area_key = n.area_key and own.period_key = n.period_key
    left join by_day as d on d.weight_key = n.weight_key and d.area_key = n.area_key and d.first_day = coalesce(n.earlier_day, n.later_day)
    where n.period_key is not null
)

select
    c.weight_key,
    c.period_key,
    c.area_key,
    w.obs_value as weight,
    c.weight_period_key
from chosen as c
left join weights as w on w.weight_key = c.weight_key and w.area_key = c.area_key and w.period_key = c.weight_period_key
union all
-- the surface of an area is the same in all periods
select
    u.weight_key,
    v.period_key,
    v.area_key,
    a.area_km2 as weight,
    cast(null as integer) as weight_period_key
from {{ ref('int_valid_areas') }} as v
inner join {{ ref('dim_area') }} as a on a.area_key = v.area_key
inner join used as u on u.weight = 'area_km2'
