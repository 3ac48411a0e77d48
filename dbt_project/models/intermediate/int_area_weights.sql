-- grain: one row per period and area that is valid in it, with the pack's weight; no rows where the pack declares no weight
with weights as (
    select
        o.ref_area,
        o.time_period,
        o.obs_value,
        {{ first_day('o.time_period') }} as first_day
    from {{ ref('int_observations') }} as o
    inner join {{ ref('stg_pack') }} as p on p.weight = o.measure
    where o.sex = '_T' and o.age = '_T' and o.obs_value is not null
),

valid_areas as (
    select
        a.time_period,
        a.ref_area,
        p.first_day
    from {{ ref('int_valid_areas') }} as a
    inner join {{ ref('int_periods') }} as p on p.time_period = a.time_period
    where exists (select 1 from {{ ref('stg_pack') }} where weight is not null)
),

-- of several periods that begin on one day (a year and its first quarter), use the one with the shortest name
by_day as (
    select
        ref_area,
        first_day,
        min(time_period) as time_period,
        arg_min(obs_value, time_period) as obs_value
    from weights
    group by ref_area, first_day
)

-- the weight of the period itself, else of the nearest earlier period in which the area has one, else of the nearest later one
select
    v.time_period,
    v.ref_area,
    coalesce(own.obs_value, earlier.obs_value, later.obs_value) as weight,
    coalesce(own.time_period, earlier.time_period, later.time_period) as weight_period
from valid_areas as v
left join weights as own on own.ref_area = v.ref_area and own.time_period = v.time_period
asof left join by_day as earlier on earlier.ref_area = v.ref_area and earlier.first_day <= v.first_day
asof left join by_day as later on later.ref_area = v.ref_area and later.first_day > v.first_day
