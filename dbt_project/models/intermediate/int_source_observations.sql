-- grain: one cell (measure, area, period, sex, age) of one source
with ranked as (
    select
        o.source,
        o.measure,
        o.ref_area,
        o.time_period,
        o.sex,
        o.age,
        o.aggregate,
        o.by_sex,
        o.obs_value,
        -- a value of a declared break carries B
        greatest(
            {{ status_rank('o.obs_status') }},
            case when b.measure is not null and o.obs_value is not null then 5 else 0 end
        ) as status_rank
    from {{ ref('stg_observations') }} as o
    left join (select distinct measure, source, period from {{ ref('stg_breaks') }}) as b
        on b.measure = o.measure and b.source = o.source and b.period = o.time_period
    where o.ref_area is not null
),

-- plain measures: equal observations are one; a quarantined row counts only where no other gives the cell
plain as (
    select
        r.source,
        r.measure,
        r.ref_area,
        r.time_period,
        r.sex,
        r.age,
        case when any_value(c.measure) is null then min(r.obs_value) filter (where r.status_rank <> 13) end as obs_value,
        case
            when any_value(c.measure) is not null then 13
            else coalesce(max(r.status_rank) filter (where r.status_rank <> 13), 13)
        end as status_rank
    from ranked as r
    left join {{ ref('stg_conflicts') }} as c
        on
            c.source = r.source
            and c.measure = r.measure
            and c.ref_area = r.ref_area
            and c.time_period = r.time_period
            and c.sex = r.sex
            and c.age = r.age
    where r.aggregate is null
    group by r.source, r.measure, r.ref_area, r.time_period, r.sex, r.age
),

-- aggregated measures: the parts' shares of each sex
shares as (
    select
        source,
        measure,
        ref_area,
        time_period,
        age,
        sex,
        aggregate,
        by_sex,
        case
            when max(status_rank) > 10 then null
            when aggregate = 'sum' then sum(obs_value)
            when aggregate = 'min' then min(obs_value)
            else max(obs_value)
        end as obs_value,
        max(status_rank) as status_rank
    from ranked
    where aggregate is not null
    group by source, measure, ref_area, time_period, age, sex, aggregate, by_sex
),

-- the total is over all rows, those of unknown sex included
totals as (
    select
        source,
        measure,
        ref_area,
        time_period,
        age,
        '_T' as sex,
        aggregate,
        by_sex,
        case
            when max(status_rank) > 10 then null
            when aggregate = 'sum' then sum(obs_value order by sex)
            when aggregate = 'min' then min(obs_value)
            else max(obs_value)
        end as obs_value,
        max(status_rank) as status_rank,
        -- a quarantined row may be of either sex
        max(status_rank) filter (where sex = '_T' and status_rank > 10) as doubt
    from shares
    group by source, measure, ref_area, time_period, age, aggregate, by_sex
),

-- women and men without rows are 0, wherever the area and period have a row at all
sexes as (
    select
        t.source,
        t.measure,
        t.ref_area,
        t.time_period,
        t.age,
        x.sex,
        case
            when t.doubt is not null then null
            when s.measure is not null then s.obs_value
            when x.sex <> '_U' and t.aggregate = 'sum' then 0.0
        end as obs_value,
        case
            when t.doubt is not null then greatest(t.doubt, coalesce(s.status_rank, 0))
            when s.measure is not null then s.status_rank
            else 1
        end as status_rank,
        s.measure is not null or (x.sex <> '_U' and t.aggregate = 'sum') as is_there
    from totals as t
    cross join (values ('M'), ('F'), ('_U')) as x (sex)
    left join shares as s
        on
            s.source = t.source
            and s.measure = t.measure
            and s.ref_area = t.ref_area
            and s.time_period = t.time_period
            and s.age = t.age
            and s.sex = x.sex
    where t.by_sex
),

aggregated as (
    select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from totals
    union all
    select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from sexes where is_there
)

select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from plain
union all
select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from aggregated
