-- grain: one cell (measure, area, period, sex, age) as it was reported, over all sources
with measures as (
    select
        measure,
        bool_and(additive) as additive
    from {{ ref('stg_measures') }}
    group by measure
),

-- between sources the first by file name stands
first_source as (
    select
        o.measure,
        o.ref_area,
        o.time_period,
        o.sex,
        o.age,
        o.source,
        o.obs_value,
        o.status_rank
    from {{ ref('int_source_observations') }} as o
    inner join {{ ref('stg_sources') }} as s on s.source = o.source
    qualify
        row_number() over (partition by o.measure, o.ref_area, o.time_period, o.sex, o.age order by s.position) = 1
),

-- a total that no source gives is women + men (+ unknown), where both are there and the measure is additive
by_sex as (
    select
        o.measure,
        o.ref_area,
        o.time_period,
        o.age,
        min(o.source) as source,
        count(*) filter (where o.sex in ('M', 'F')) as sexes,
        count(*) filter (where o.sex = '_T') as totals,
        case when count(o.obs_value) = count(*) then sum(o.obs_value order by o.sex) end as obs_value,
        max(o.status_rank) as status_rank
    from first_source as o
    inner join measures as m on m.measure = o.measure
    where m.additive
    group by o.measure, o.ref_area, o.time_period, o.age
),

together as (
    select measure, ref_area, time_period, sex, age, source, obs_value, status_rank from first_source
    union all
    select measure, ref_area, time_period, '_T' as sex, age, source, obs_value, status_rank
    from by_sex
    where sexes = 2 and totals = 0
)

select
    o.measure,
    o.ref_area,
    a.level,
    o.time_period,
    o.sex,
    o.age,
    o.source,
    o.obs_value,
    o.status_rank
from together as o
inner join {{ ref('stg_areas') }} as a on a.ref_area = o.ref_area
