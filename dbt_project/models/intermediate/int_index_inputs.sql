-- grain: one row per leaf of an index, period of the index and area: the value that the index reads, or why it is missing. For a pooled
-- index of the latest values also the leaf's values of other periods, as a basis of comparison
with leaves as (
    select
        n.index_id,
        n.node,
        d.indicator_key,
        cast(l.position as smallint) as level_position,
        i.period,
        i.max_age,
        i.carry,
        i.pooled
    from {{ ref('stg_index_nodes') }} as n
    inner join {{ ref('stg_indices') }} as i on i.index_id = n.index_id
    inner join {{ ref('stg_indicators') }} as d on d.indicator = n.indicator
    inner join {{ ref('stg_levels') }} as l on l.level = i.level
),

used_indicators as (
    select distinct indicator_key from leaves
),

cells as (
    select
        c.indicator_key,
        c.level_position,
        c.area_key,
        c.period_key,
        c.obs_value,
        c.obs_status
    from {{ ref('int_indicator_cells') }} as c
    inner join used_indicators as u on u.indicator_key = c.indicator_key
    where c.breakdown_key = {{ total() }} and c.period_key <> 0
),

periods_with_values as (
    select distinct indicator_key, level_position, period_key
    from cells
    where obs_value is not null
),

-- the periods in which a leaf has data at the index's level
periods as (
    select distinct
        l.index_id,
        l.node,
        c.period_key,
        {{ first_day_number('c.period_key') }} as day_number,
        {{ year_of('c.period_key') }} as calendar_year
    from leaves as l
    inner join periods_with_values as c on c.indicator_key = l.indicator_key and c.level_position = l.level_position
),

numbered_periods as (
    select
        *,
        row_number() over (partition by index_id, node order by day_number desc, period_key desc) as from_last
    from periods
),

-- latest: the last period of each leaf, the same for all areas; the period of the index is the newest of them
last_periods as (
    select
        *,
        row_number() over (partition by index_id order by day_number desc, period_key desc, node asc) as from_newest
    from numbered_periods
    where from_last = 1
),

newest_periods as (
    select index_id, period_key, calendar_year
    from last_periods
    where from_newest = 1
),

latest as (
    select
        l.index_id,
        l.node,
        n.period_key,
        p.period_key as raw_period
    from leaves as l
    inner join newest_periods as n on n.index_id = l.index_id
    left join last_periods as p
        on p.index_id = l.index_id and p.node = l.node and (l.max_age is null or n.calendar_year - p.calendar_year <= l.max_age)
    where l.period = 'latest'
),

-- each: every period of any leaf; a leaf without that period can carry its previous period forward, the same for all areas
candidates as (
    select
        l.index_id,
        l.node,
        x.period_key,
        p.period_key as raw_period,
        row_number() over (
            partition by l.index_id, l.node, x.period_key
            order by
                case when p.period_key is null then 1 else 0 end,
                case when p.period_key <> x.period_key then 1 else 0 end,
                p.day_number desc,
                p.period_key desc
        ) as choice
    from leaves as l
    inner join (select distinct index_id, period_key, day_number, calendar_year from periods) as x on x.index_id = l.index_id
    left join periods as p
        on
            p.index_id = l.index_id
            and p.node = l.node
            and (
                p.period_key = x.period_key
                or (l.carry > 0 and p.day_number <= x.day_number and x.calendar_year - p.calendar_year <= l.carry)
            )
    where l.period = 'each'
),

each_period as (
    select index_id, node, period_key, raw_period
    from candidates
    where choice = 1
),

-- an index has no period if none of its leaves ever had data
without_data as (
    select
        l.index_id,
        l.node,
        0 as period_key,
        cast(null as integer) as raw_period
    from leaves as l
    left join (select distinct index_id from periods) as p on p.index_id = l.index_id
    where p.index_id is null
),

other_periods as (
    select
        p.index_id,
        p.node,
        p.period_key,
        p.period_key as raw_period
    from periods as p
    inner join leaves as l on l.index_id = p.index_id and l.node = p.node
    left join latest as h on h.index_id = p.index_id and h.node = p.node and h.raw_period = p.period_key
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
    select period_key, level_position, area_key from {{ ref('int_valid_areas') }}
    union all
    select 0 as period_key, level_position, area_key from {{ ref('dim_area') }}
),

-- the reason why an indicator without any period has no data
reasons_without_period as (
    select
        c.indicator_key,
        max(c.obs_status) as obs_status
    from {{ ref('int_indicator_cells') }} as c
    inner join used_indicators as u on u.indicator_key = c.indicator_key
    where c.period_key = 0
    group by c.indicator_key
)

select
    l.index_id,
    l.node,
    coalesce(p.time_period, '') as time_period,
    d.ref_area,
    r.time_period as raw_period,
    c.obs_value,
    -- an indicator without data, or with data that are too old, is still expected: its cell in the period of the index gives the reason
    coalesce(c.obs_status, o.obs_status, w.obs_status, 'O') as obs_status,
    h.in_pool
from read_periods as h
inner join leaves as l on l.index_id = h.index_id and l.node = h.node
inner join index_areas as a on a.period_key = h.period_key and a.level_position = l.level_position
inner join {{ ref('dim_area') }} as d on d.area_key = a.area_key
left join {{ ref('dim_period') }} as p on p.period_key = h.period_key
left join {{ ref('dim_period') }} as r on r.period_key = h.raw_period
left join cells as c
    on
        c.indicator_key = l.indicator_key
        and c.level_position = l.level_position
        and c.area_key = a.area_key
        and c.period_key = h.raw_period
-- the key is null where the leaf has a period of its own: a condition on the left side alone would make the join slow
left join cells as o
    on
        o.indicator_key = case when h.raw_period is null then l.indicator_key end
        and o.level_position = l.level_position
        and o.area_key = a.area_key
        and o.period_key = h.period_key
left join reasons_without_period as w on w.indicator_key = case when h.raw_period is null then l.indicator_key end
