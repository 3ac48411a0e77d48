-- grain: one row per sex and age group
with ages as (
    select distinct age
    from {{ ref('stg_observations') }}
    where age <> '_T'
),

numbered_ages as (
    select
        age,
        row_number() over (order by age) as age_number
    from ages
    union all
    select '_T' as age, 0 as age_number
),

sexes as (
    {% for sex in var('sex_codes') -%}
    select '{{ sex }}' as sex, {{ var('sex_codes')[sex] }} as sex_code
    {%- if not loop.last %} union all{% endif %}
    {% endfor %}
)

select
    cast(a.age_number * {{ var('sex_codes') | length }} + s.sex_code as integer) as breakdown_key,
    s.sex,
    a.age,
    cast(s.sex_code as smallint) as sex_code,
    cast(a.age_number * {{ var('sex_codes') | length }} as integer) as age_code
from numbered_ages as a
cross join sexes as s
