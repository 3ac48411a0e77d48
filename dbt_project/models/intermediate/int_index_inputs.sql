-- grain: one row per leaf of an index, period of the index and area: the value that the index reads, or why it is missing. For a pooled
-- index of the latest values also the leaf's values of other periods, as a basis of comparison
with leaves as (
    select
        n.index_id,
        n.node,
        n.indicator,
        i.level,
        i.period,
        i.max_age,
        i.carry,
        i.pooled
    from {{ ref('stg_index_nodes') }} as n
    inner join {{ ref('stg_indices') }} as i on i.index_id = n.index_id
    where n.indicator is not null
),

cells as (
    select
        indicator,
        level,
        ref_area,
        time_period,
        obs_value,
        obs_status
    from {{ ref('int_indicator_cells') }}
    where
        sex = '_T'
        and age = '_T'
        and time_period <> ''
        and indicator in (select indicator from leaves)
),

-- the periods in which a leaf has data at the index's level
periods as (
    select distinct
        l.index_id,
        l.node,
        c.time_period,
        {{ first_day('c.time_period') }} as first_day,
        cast(left(c.time_period, 4) as integer) as calendar_year
    from leaves as l
    inner join cells as c on c.indicator = l.indicator and c.level = l.level
    where c.obs_value is not null
),

-- latest: the last period of each leaf, the same for all areas; the period of the index is the newest of them
last_periods as (
    select *
    from periods
    qualify row_number() over (partition by index_id, node order by first_day desc, time_period desc) = 1
),

newest_periods as (
    select *
    from last_periods
    qualify row_number() over (partition by index_id order by first_day desc, time_period desc) = 1
),

latest as (
    select
        l.index_id,
        l.node,
        n.time_period,
        p.time_period as raw_period
    from leaves as l
    inner join newest_periods as n on n.index_id = l.index_id
    left join last_periods as p
        on p.index_id = l.index_id and p.node = l.node and (l.max_age is null or n.calendar_year - p.calendar_year <= l.max_age)
    where l.period = 'latest'
),

-- each: every period of any leaf; a leaf without that period can carry its previous period forward, the same for all areas
each_period as (
    select
        l.index_id,
        l.node,
        x.time_period,
        p.time_period as raw_period
    from leaves as l
    inner join (select distinct index_id, time_period, first_day, calendar_year from periods) as x on x.index_id = l.index_id
    left join periods as p
        on
            p.index_id = l.index_id
            and p.node = l.node
            and (
                p.time_period = x.time_period
                or (l.carry > 0 and p.first_day <= x.first_day and x.calendar_year - p.calendar_year <= l.carry)
            )
    where l.period = 'each'
    qualify
        row_number() over (
            partition by l.index_id, l.node, x.time_period
            order by p.time_period is null, p.time_period <> x.time_period, p.first_day desc, p.time_period desc
        ) = 1
),

-- an index has no period if none of its leaves ever had data
without_data as (
    select
        index_id,
        node,
        '' as time_period,
        cast(null as varchar) as raw_period
    from leaves
    where index_id not in (select index_id from periods)
),

other_periods as (
    select
        p.index_id,
        p.node,
        p.time_period,
        p.time_period as raw_period
    from periods as p
    inner join leaves as l on l.index_id = p.index_id and l.node = p.node
    left join latest as h on h.index_id = p.index_id and h.node = p.node and h.raw_period = p.time_period
    where l.period = 'latest' and l.pooled and h.raw_period is null
),

read_periods as (
    select *, false as in_pool from latest
    union all
    select *, false as in_pool from each_period
    union all
    select *, false as in_pool from without_data
    union all
    select *, true as in_pool from other_periods
),

index_areas as (
    select time_period, level, ref_area from {{ ref('int_valid_areas') }}
    union all
    select '' as time_period, level, ref_area from {{ ref('stg_areas') }}
),

-- the reason why an indicator without any period has no data
reasons_without_period as (
    select
        indicator,
        any_value(obs_status) as obs_status
    from {{ ref('int_indicator_cells') }}
    where time_period = '' and indicator in (select indicator from leaves)
    group by indicator
)

select
    l.index_id,
    l.node,
    h.time_period,
    a.ref_area,
    h.raw_period,
    c.obs_value,
    -- an indicator without data, or with data that are too old, is still expected: its cell in the period of the index gives the reason
    coalesce(c.obs_status, o.obs_status, w.obs_status, 'O') as obs_status,
    h.in_pool
from read_periods as h
inner join leaves as l on l.index_id = h.index_id and l.node = h.node
inner join index_areas as a on a.time_period = h.time_period and a.level = l.level
left join cells as c
    on c.indicator = l.indicator and c.level = l.level and c.ref_area = a.ref_area and c.time_period = h.raw_period
-- the key is null where the leaf has a period of its own: a condition on the left side alone would make the join slow
left join cells as o
    on
        o.indicator = case when h.raw_period is null then l.indicator end
        and o.level = l.level
        and o.ref_area = a.ref_area
        and o.time_period = h.time_period
left join reasons_without_period as w on w.indicator = case when h.raw_period is null then l.indicator end
