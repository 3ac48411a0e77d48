-- grain: one row per area, with the value of every indicator in its last period
{%- set indicators = declared_indicators() %}
with last_periods as (
    select
        indicator,
        max_by(time_period, ({{ first_day('time_period') }}, time_period)) as time_period
    from {{ ref('int_indicator_cells') }}
    where obs_value is not null and sex = '_T' and age = '_T'
    group by indicator
),

last_values as (
    select
        c.indicator,
        c.ref_area,
        c.obs_value
    from {{ ref('int_indicator_cells') }} as c
    inner join last_periods as l on l.indicator = c.indicator and l.time_period = c.time_period
    where c.sex = '_T' and c.age = '_T'
)

select
    a.ref_area,
    a.name,
    a.level
{%- for indicator in indicators %},
    max(v.obs_value) filter (where v.indicator = '{{ indicator }}') as "{{ indicator }}"
{%- endfor %}
from {{ ref('stg_areas') }} as a
left join last_values as v on v.ref_area = a.ref_area
group by a.ref_area, a.name, a.level
