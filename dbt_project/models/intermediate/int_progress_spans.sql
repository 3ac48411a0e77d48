-- grain: one row per indicator, level and sex with values in two periods or more: the base period of progress, and the last period
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with periods as (
    select distinct
        c.indicator_key,
        c.level_position,
        c.breakdown_key,
        c.period_key,
        {{ first_day_number('c.period_key') }} as day_number
    from {{ ref('int_indicator_cells') }} as c
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key and i.direction <> 'none'
    where c.obs_value is not null and {{ is_all_ages('c.breakdown_key') }} and {{ in_scope('c.indicator_key') }}
),

numbered as (
    select
        *,
        row_number() over (partition by indicator_key, level_position, breakdown_key order by day_number desc, period_key asc) as from_last
    from periods
),

-- the base is the first period since the goals were adopted; a series that ends before that is measured from its first period
candidates as (
    select
        l.indicator_key,
        l.level_position,
        l.breakdown_key,
        p.period_key as base_period,
        l.period_key as last_period,
        row_number() over (
            partition by l.indicator_key, l.level_position, l.breakdown_key
            order by case when p.day_number < {{ var('progress').first_day | replace('-', '') }} then 1 else 0 end, p.day_number, p.period_key
        ) as from_base
    from numbered as l
    inner join periods as p
        on
            p.indicator_key = l.indicator_key
            and p.level_position = l.level_position
            and p.breakdown_key = l.breakdown_key
            and p.day_number < l.day_number
    where l.from_last = 1
)

select indicator_key, level_position, breakdown_key, base_period, last_period
from candidates
where from_base = 1
