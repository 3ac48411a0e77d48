-- grain: one row per indicator, level, period and sex (age group _T): how many of its cells have a value, and why the others have none
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
with counts as (
    select
        indicator_key,
        level_position,
        period_key,
        breakdown_key,
        count(*) as expected,
        {% for status in ['M', 'L', 'Q', 'C', 'O', 'Z', 'S'] -%}
        count(*) filter (where obs_status = '{{ status }}') as missing_{{ status | lower }},
        {% endfor -%}
        count(obs_value) as available
    from {{ ref('int_indicator_cells') }}
    where {{ is_all_ages('breakdown_key') }} and {{ in_scope('indicator_key') }}
    group by indicator_key, level_position, period_key, breakdown_key
)

select
    i.indicator,
    l.level,
    coalesce(p.time_period, '') as time_period,
    x.sex,
    c.expected,
    c.available,
    c.missing_m,
    c.missing_l,
    c.missing_q,
    c.missing_c,
    c.missing_o,
    c.missing_z,
    c.missing_s
from counts as c
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
inner join {{ ref('stg_levels') }} as l on l.position = c.level_position
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = c.breakdown_key
left join {{ ref('dim_period') }} as p on p.period_key = c.period_key
