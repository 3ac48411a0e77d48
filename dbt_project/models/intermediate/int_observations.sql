-- grain: one row per measure, area, period, sex and age, over all sources, restated to the current areas
with measures as (
    {{ measure_properties() }}
),

-- the areas of a period that a current area comes from
origins as (
    select
        v.time_period,
        s.area,
        v.ref_area as origin,
        s.share
    from {{ ref('int_own_validity') }} as v
    inner join {{ ref('int_periods') }} as p on p.time_period = v.time_period
    inner join {{ ref('int_area_successions') }} as s
        on s.origin = v.ref_area and {{ succession_holds_on('s', 'p.first_day') }}
),

-- an area that existed already is one of its own origins
all_origins as (
    select time_period, area, origin, share from origins
    union all
    select v.time_period, v.ref_area as area, v.ref_area as origin, 1.0 as share
    from {{ ref('int_own_validity') }} as v
    inner join (select distinct time_period, area from origins) as t on t.time_period = v.time_period and t.area = v.ref_area
    where (v.time_period, v.ref_area) not in (select (time_period, origin) from origins)
),

-- a current area has a cell if any of its origins has one
restated_cells as (
    select distinct
        o.measure,
        a.area,
        o.time_period,
        o.sex,
        o.age
    from all_origins as a
    inner join {{ ref('int_reported_observations') }} as o on o.ref_area = a.origin and o.time_period = a.time_period
),

parts as (
    select
        w.measure,
        w.area,
        w.time_period,
        w.sex,
        w.age,
        a.origin,
        a.share,
        m.additive,
        m.weighted_by,
        o.source,
        o.obs_value,
        weight.obs_value as weight,
        -- an origin without counted rows adds nothing; for any other measure its part is missing
        case
            when o.measure is null and m.is_counted then {{ no_rank() }}
            when o.measure is null then {{ rank_of('O') }}
            when not m.additive and m.weighted_by is not null and {{ has_value('o.status_rank') }}
                then greatest(o.status_rank, coalesce(weight.status_rank, {{ rank_of('O') }}))
            else o.status_rank
        end as status_rank
    from restated_cells as w
    inner join measures as m on m.measure = w.measure
    inner join all_origins as a on a.area = w.area and a.time_period = w.time_period
    left join {{ ref('int_reported_observations') }} as o
        on
            o.measure = w.measure
            and o.ref_area = a.origin
            and o.time_period = w.time_period
            and o.sex = w.sex
            and o.age = w.age
    left join {{ ref('int_reported_observations') }} as weight
        on
            weight.measure = m.weighted_by
            and weight.ref_area = a.origin
            and weight.time_period = w.time_period
            and weight.sex = w.sex
            and weight.age = w.age
),

restated as (
    select
        measure,
        area as ref_area,
        time_period,
        sex,
        age,
        min(source) as source,
        case
            when {{ lacks_value('max(status_rank)') }} then null
            when any_value(additive) then sum(share * obs_value order by origin)
            when any_value(weighted_by) is not null
                then sum(share * weight * obs_value order by origin) / nullif(sum(share * weight order by origin), 0)
            -- a value that can be neither summed nor averaged is restated only from a single origin
            when count(*) = 1 then max(obs_value)
        end as obs_value,
        max(status_rank) as status_rank
    from parts
    group by measure, area, time_period, sex, age
),

changed_areas as (
    select distinct time_period, origin as ref_area from all_origins
),

unchanged_and_restated as (
    select o.measure, o.ref_area, o.time_period, o.sex, o.age, o.source, o.obs_value, o.status_rank
    from {{ ref('int_reported_observations') }} as o
    left join changed_areas as c on c.time_period = o.time_period and c.ref_area = o.ref_area
    where c.ref_area is null
    union all
    select
        measure, ref_area, time_period, sex, age, source, obs_value,
        case
            when {{ lacks_value('status_rank') }} then status_rank
            when obs_value is null then {{ rank_of('O') }}
            else greatest(status_rank, {{ rank_of('E') }})
        end as status_rank
    from restated
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
from unchanged_and_restated as o
inner join {{ ref('stg_areas') }} as a on a.ref_area = o.ref_area
