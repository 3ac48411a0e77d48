-- The total of an additive measure differs from women + men + unknown sex in the source's own cells. All are published as reported, with this
-- warning.
{{ config(meta={'gate': 'warn'}) }}
with additive as (
    select measure
    from ({{ measure_properties() }})
    where additive
),

-- a minimum or maximum over all rows is not a sum over sex
extremes as (
    select distinct measure
    from {{ ref('stg_observations') }}
    where aggregate in ('min', 'max')
),

by_sex as (
    select
        o.measure,
        o.ref_area,
        o.time_period,
        o.age,
        max(o.obs_value) filter (where o.sex = '_T') as total,
        sum(o.obs_value) filter (where o.sex <> '_T') as parts,
        count(o.obs_value) filter (where o.sex in ('M', 'F')) as sexes,
        count(*) filter (where o.sex = '_U' and o.obs_value is null) as unknown
    from {{ ref('int_observations') }} as o
    inner join additive as a on a.measure = o.measure
    left join extremes as x on x.measure = o.measure
    where x.measure is null
    group by o.measure, o.ref_area, o.time_period, o.age
)

select
    measure,
    ref_area,
    time_period,
    age,
    total,
    parts
from by_sex
where sexes = 2 and unknown = 0 and abs(total - parts) > {{ var('relative_tolerance') }} * greatest(abs(total), abs(parts))
