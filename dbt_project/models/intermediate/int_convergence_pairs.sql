-- grain: one row per indicator, sex, span of periods, area above and area below it: the values at both ends, null where missing
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with published as (
    select
        c.indicator_key,
        c.level_position,
        c.area_key,
        c.period_key,
        c.breakdown_key,
        c.obs_value,
        {{ status_rank('c.obs_status') }} as status_rank,
        {{ chance_factor() }} as chance_factor,
        {{ first_day_number('c.period_key') }} as day_number
    from {{ ref('int_indicator_cells') }} as c
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
    left join {{ ref('int_samples') }} as s on {{ is_same_cell('s', 'c') }}
    where c.obs_value is not null and {{ is_all_ages('c.breakdown_key') }} and {{ in_scope('c.indicator_key') }}
),

series as (
    select
        indicator_key,
        level_position,
        breakdown_key,
        -- of periods that begin on one day (a year and its first quarter), the first
        cast(min(cast(day_number as bigint) * 100000000 + period_key) % 100000000 as integer) as first_period,
        cast(99999999 - max(cast(day_number as bigint) * 100000000 + 99999999 - period_key) % 100000000 as integer) as last_period
    from (select distinct indicator_key, level_position, breakdown_key, period_key, day_number from published) as own
    group by indicator_key, level_position, breakdown_key
),

declared_spans as (
    select
        i.indicator_key,
        {{ period_key('d.first_period') }} as first_period,
        {{ period_key('d.last_period') }} as last_period
    from {{ ref('stg_convergence_spans') }} as d
    inner join {{ ref('stg_indicators') }} as i on i.indicator = d.indicator
),

-- the spans that an indicator declares; without any, the first and the last period in which the level has values
spans as (
    select s.indicator_key, s.level_position, s.breakdown_key, d.first_period, d.last_period
    from series as s
    inner join declared_spans as d on d.indicator_key = s.indicator_key
    union all
    select s.indicator_key, s.level_position, s.breakdown_key, s.first_period, s.last_period
    from series as s
    left join (select distinct indicator_key from declared_spans) as d on d.indicator_key = s.indicator_key
    where s.first_period <> s.last_period and d.indicator_key is null
),

-- the territory of the last period
compared_areas as (
    select
        s.indicator_key,
        t.ancestor_key as within_key,
        s.level_position,
        s.first_period,
        s.last_period,
        s.breakdown_key,
        t.area_key
    from spans as s
    inner join {{ ref('int_area_tree') }} as t on t.period_key = s.last_period and t.level_position = s.level_position
)

select
    p.indicator_key,
    p.within_key,
    p.level_position,
    p.first_period,
    p.last_period,
    p.breakdown_key,
    p.area_key,
    a.obs_value as first_value,
    b.obs_value as last_value,
    a.chance_factor as first_chance_factor,
    b.chance_factor as last_chance_factor,
    greatest(a.status_rank, b.status_rank) as status_rank
from compared_areas as p
left join published as a
    on
        a.indicator_key = p.indicator_key
        and a.area_key = p.area_key
        and a.period_key = p.first_period
        and a.breakdown_key = p.breakdown_key
left join published as b
    on
        b.indicator_key = p.indicator_key
        and b.area_key = p.area_key
        and b.period_key = p.last_period
        and b.breakdown_key = p.breakdown_key
