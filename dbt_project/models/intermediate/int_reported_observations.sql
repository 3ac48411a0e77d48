-- grain: one row per measure, area, period, sex and age, as reported, over all sources
with measures as (
    {{ measure_properties() }}
),

-- if several sources report a cell, the first source by file name is used
first_source_cells as (
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

-- a total that no source reports is women + men (+ unknown sex), if the measure is additive and both are reported
sums_over_sex as (
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
    from first_source_cells as o
    inner join measures as m on m.measure = o.measure
    where m.additive
    group by o.measure, o.ref_area, o.time_period, o.age
),

cells_with_totals as (
    select measure, ref_area, time_period, sex, age, source, obs_value, status_rank from first_source_cells
    union all
    select measure, ref_area, time_period, '_T' as sex, age, source, obs_value, status_rank
    from sums_over_sex
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
from cells_with_totals as o
inner join {{ ref('stg_areas') }} as a on a.ref_area = o.ref_area
