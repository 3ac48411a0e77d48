-- grain: one row per indicator, period, sex and age group in which the indicator is published
with sexes as (
    select indicator_key, {{ sex_code('_T') }} as sex_code from {{ ref('stg_indicators') }}
    {% for sex in ['M', 'F'] -%}
    union all
    select indicator_key, {{ sex_code(sex) }} as sex_code from {{ ref('stg_indicators') }} where by_sex
    {% endfor %}
),

ages_with_data as (
    select distinct
        measure_key,
        period_key,
        {{ age_of('breakdown_key') }} as age_code
    from {{ ref('int_observations') }}
),

ages as (
    select indicator_key, period_key, {{ total() }} as age_code from {{ ref('int_indicator_periods') }}
    union
    select p.indicator_key, p.period_key, o.age_code
    from {{ ref('int_indicator_periods') }} as p
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = p.indicator_key and i.by_age
    inner join {{ ref('int_terms') }} as t on t.indicator_key = p.indicator_key and t.is_numerator and t.age_code is null
    inner join ages_with_data as o
        on o.measure_key = coalesce(t.counted_key, t.measure_key) and o.period_key = p.period_key
)

select
    a.indicator_key,
    a.period_key,
    cast(a.age_code + s.sex_code as integer) as breakdown_key
from ages as a
inner join sexes as s on s.indicator_key = a.indicator_key
