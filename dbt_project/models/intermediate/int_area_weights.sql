-- grain: one row per period and area that is valid in it, with the pack's weight; no rows where the pack declares no weight
with weights as (
    select
        o.area_key,
        o.period_key,
        o.obs_value,
        p.first_day
    from {{ ref('int_observations') }} as o
    inner join {{ ref('stg_pack') }} as k on k.weight_key = o.measure_key
    inner join {{ ref('dim_period') }} as p on p.period_key = o.period_key
    where o.breakdown_key = {{ total() }} and o.obs_value is not null
),

valid_areas as (
    select
        a.period_key,
        a.area_key,
        p.first_day
    from {{ ref('int_valid_areas') }} as a
    inner join {{ ref('dim_period') }} as p on p.period_key = a.period_key
    where exists (select 1 from {{ ref('stg_pack') }} where weight_key is not null)
),

-- of several periods that begin on one day (a year and its first quarter), use the first
by_day as (
    select
        area_key,
        first_day,
        min(period_key) as period_key
    from weights
    group by area_key, first_day
),

-- the days of both in one series for each area, to look backwards and forwards from the periods of the territory
days as (
    select area_key, first_day, null as period_key, first_day as weight_day
    from by_day
    union all
    select area_key, first_day, period_key, cast(null as date) as weight_day
    from valid_areas
),

nearest as (
    select
        area_key,
        period_key,
        max(weight_day) over (partition by area_key order by first_day range between unbounded preceding and current row) as earlier_day,
        min(weight_day) over (partition by area_key order by first_day range between current row and unbounded following) as later_day
    from days
),

-- the weight of the period itself, else of the nearest earlier period in which the area has one, else of the nearest later one
chosen as (
    select
        n.period_key,
        n.area_key,
        coalesce(own.period_key, d.period_key) as weight_period_key
    from nearest as n
    left join weights as own on own.area_key = n.area_key and own.period_key = n.period_key
    left join by_day as d on d.area_key = n.area_key and d.first_day = coalesce(n.earlier_day, n.later_day)
    where n.period_key is not null
)

select
    c.period_key,
    c.area_key,
    w.obs_value as weight,
    c.weight_period_key
from chosen as c
left join weights as w on w.area_key = c.area_key and w.period_key = c.weight_period_key
