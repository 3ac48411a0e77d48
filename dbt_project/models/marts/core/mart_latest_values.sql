-- grain: one row per area, with the value of every indicator that has any in its last period
{%- set indicators = indicators_with_values() %}
with periods as (
    select distinct
        indicator_key,
        period_key,
        {{ first_day_number('period_key') }} as day_number
    from {{ ref('int_indicator_cells') }}
    where obs_value is not null and breakdown_key = {{ total() }}
),

numbered_periods as (
    select
        indicator_key,
        period_key,
        row_number() over (partition by indicator_key order by day_number desc, period_key desc) as from_last
    from periods
),

last_values as (
    select
        c.indicator_key,
        c.area_key,
        c.obs_value
    from {{ ref('int_indicator_cells') }} as c
    inner join numbered_periods as l on l.indicator_key = c.indicator_key and l.period_key = c.period_key and l.from_last = 1
    where c.breakdown_key = {{ total() }}
),

by_area as (
    select
        area_key
    {%- for key, indicator in indicators %},
        max(case when indicator_key = {{ key }} then obs_value end) as {{ adapter.quote(indicator) }}
    {%- endfor %}
    from last_values
    group by area_key
)

select
    a.ref_area,
    a.name,
    a.level
{%- for _, indicator in indicators %},
    v.{{ adapter.quote(indicator) }}
{%- endfor %}
from {{ ref('stg_areas') }} as a
inner join {{ ref('dim_area') }} as d on d.ref_area = a.ref_area
left join by_area as v on v.area_key = d.area_key
