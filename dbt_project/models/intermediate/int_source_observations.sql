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

-- cells whose own total is smaller than its parts
contradicted as (
    select distinct source, measure, ref_area, time_period, age
    from {{ ref('stg_conflicts') }}
),

by_part as (
    select
        source,
        measure,
        ref_area,
        time_period,
        age,
        aggregate,
        by_sex,
        max(status_rank) as status_rank,
        case
            when aggregate = 'sum' then sum(obs_value order by sex) filter (where sex <> '_T')
            when aggregate = 'min' then min(obs_value)
            else max(obs_value)
        end as obs_value,
        -- the source's own total, which stands beside its parts and is never added to them
        max(obs_value) filter (where sex = '_T' and aggregate = 'sum') as own_total,
        max(status_rank) filter (where sex = '_T' and aggregate = 'sum') as own_rank,
        -- a quarantined row may be of either sex
        max(status_rank) filter (where sex = '_T' and status_rank > 10) as doubt
    from shares
    group by source, measure, ref_area, time_period, age, aggregate, by_sex
),

-- the source's own total, or else that over all rows, those of unknown sex included
totals as (
    select
        p.source,
        p.measure,
        p.ref_area,
        p.time_period,
        p.age,
        '_T' as sex,
        p.aggregate,
        p.by_sex,
        case
            when c.measure is not null then null
            when p.own_total is not null then p.own_total
            when p.status_rank <= 10 then p.obs_value
        end as obs_value,
        case
            when c.measure is not null then 13
            when p.own_total is not null then p.own_rank
            else p.status_rank
        end as status_rank,
        p.doubt,
        c.measure is not null as is_contradicted,
        -- where the source's total says that there are more than its rows of women, men and unknown sex, a sex without rows is not 0
        p.aggregate = 'sum'
        and (p.own_total is null or abs(p.own_total - coalesce(p.obs_value, 0.0)) <= 1e-9 * abs(p.own_total)) as absent_is_zero
    from by_part as p
    left join contradicted as c
        on
            c.source = p.source
            and c.measure = p.measure
            and c.ref_area = p.ref_area
            and c.time_period = p.time_period
            and c.age = p.age
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
            when t.is_contradicted or t.doubt is not null then null
            when s.measure is not null then s.obs_value
            when x.sex <> '_U' and t.absent_is_zero then 0.0
        end as obs_value,
        case
            when t.is_contradicted then 13
            when t.doubt is not null then greatest(t.doubt, coalesce(s.status_rank, 0))
            when s.measure is not null then s.status_rank
            else 1
        end as status_rank,
        s.measure is not null or (x.sex <> '_U' and (t.absent_is_zero or t.is_contradicted)) as is_there
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
