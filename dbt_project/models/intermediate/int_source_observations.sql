-- grain: one row per source, measure, area, period, sex and age
with ranked_observations as (
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
        -- a value in the first period after a declared break gets status B
        greatest(
            {{ status_rank('o.obs_status') }},
            {{ rank_if('b.measure is not null and o.obs_value is not null', 'B') }}
        ) as status_rank
    from {{ ref('stg_observations') }} as o
    left join (select distinct measure, source, period from {{ ref('stg_breaks') }}) as b
        on b.measure = o.measure and b.source = o.source and b.period = o.time_period
    where o.ref_area is not null
),

-- plain measures: equal observations count once; a quarantined row counts only if no other row reports the cell
plain_cells as (
    select
        r.source,
        r.measure,
        r.ref_area,
        r.time_period,
        r.sex,
        r.age,
        case when any_value(c.measure) is null then min(r.obs_value) filter (where r.status_rank <> {{ rank_of('Q') }}) end as obs_value,
        case
            when any_value(c.measure) is not null then {{ rank_of('Q') }}
            else coalesce(max(r.status_rank) filter (where r.status_rank <> {{ rank_of('Q') }}), {{ rank_of('Q') }})
        end as status_rank
    from ranked_observations as r
    left join {{ ref('stg_conflicts') }} as c
        on
            c.source = r.source
            and {{ is_same_cell('c', 'r', of='measure') }}
    where r.aggregate is null
    group by r.source, r.measure, r.ref_area, r.time_period, r.sex, r.age
),

-- aggregated measures: the rows of all parts, by sex
aggregates_by_sex as (
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
            when {{ lacks_value('max(status_rank)') }} then null
            when aggregate = 'sum' then sum(obs_value)
            when aggregate = 'min' then min(obs_value)
            else max(obs_value)
        end as obs_value,
        max(status_rank) as status_rank
    from ranked_observations
    where aggregate is not null
    group by source, measure, ref_area, time_period, age, sex, aggregate, by_sex
),

-- cells whose reported total is smaller than the sum of its parts
contradicted_cells as (
    select distinct source, measure, ref_area, time_period, age
    from {{ ref('stg_conflicts') }}
),

aggregates_over_sex as (
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
        -- the total that the source reports, which is never added to its parts
        max(obs_value) filter (where sex = '_T' and aggregate = 'sum') as own_total,
        max(status_rank) filter (where sex = '_T' and aggregate = 'sum') as own_rank,
        -- a quarantined row of the total can be of either sex
        max(status_rank) filter (where sex = '_T' and {{ lacks_value('status_rank') }}) as missing_rank
    from aggregates_by_sex
    group by source, measure, ref_area, time_period, age, aggregate, by_sex
),

-- the total that the source reports, else the sum over all rows, including rows of unknown sex
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
            when {{ has_value('p.status_rank') }} then p.obs_value
        end as obs_value,
        case
            when c.measure is not null then {{ rank_of('Q') }}
            when p.own_total is not null then p.own_rank
            else p.status_rank
        end as status_rank,
        p.missing_rank,
        c.measure is not null as is_contradicted,
        -- a sex without rows is 0 only if the rows of the other sexes add up to the source's total
        p.aggregate = 'sum'
        and (
            p.own_total is null
            or abs(p.own_total - coalesce(p.obs_value, 0.0)) <= {{ var('relative_tolerance') }} * abs(p.own_total)
        ) as absent_is_zero
    from aggregates_over_sex as p
    left join contradicted_cells as c
        on
            c.source = p.source
            and c.measure = p.measure
            and c.ref_area = p.ref_area
            and c.time_period = p.time_period
            and c.age = p.age
),

-- women and men without rows are 0 if the area and period have any row
cells_by_sex as (
    select
        t.source,
        t.measure,
        t.ref_area,
        t.time_period,
        t.age,
        x.sex,
        case
            when t.is_contradicted or t.missing_rank is not null then null
            when s.measure is not null then s.obs_value
            when x.sex <> '_U' and t.absent_is_zero then 0.0
        end as obs_value,
        case
            when t.is_contradicted then {{ rank_of('Q') }}
            when t.missing_rank is not null then greatest(t.missing_rank, coalesce(s.status_rank, {{ no_rank() }}))
            when s.measure is not null then s.status_rank
            else {{ rank_of('A') }}
        end as status_rank,
        s.measure is not null or (x.sex <> '_U' and (t.absent_is_zero or t.is_contradicted)) as has_cell
    from totals as t
    cross join (values ('M'), ('F'), ('_U')) as x (sex)
    left join aggregates_by_sex as s
        on
            s.source = t.source
            and s.measure = t.measure
            and s.ref_area = t.ref_area
            and s.time_period = t.time_period
            and s.age = t.age
            and s.sex = x.sex
    where t.by_sex
),

aggregated_cells as (
    select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from totals
    union all
    select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from cells_by_sex where has_cell
)

select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from plain_cells
union all
select source, measure, ref_area, time_period, sex, age, obs_value, status_rank from aggregated_cells
