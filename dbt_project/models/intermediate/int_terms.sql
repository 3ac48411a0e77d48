-- grain: one row per term of a formula, with the keys of what it reads
with ages as (
    select distinct age, age_code
    from {{ ref('dim_breakdown') }}
),

sexes as (
    select distinct sex, sex_code
    from {{ ref('dim_breakdown') }}
)

select
    t.indicator_key,
    t.side = 'numerator' as is_numerator,
    t.measure_key,
    t.times_key,
    -- the name of a built-in measure: its values are properties of the area
    case when {{ is_built_in('t.measure') }} then t.measure end as built_in,
    case when {{ is_built_in('t.times') }} then t.times end as times_built_in,
    t.factor,
    cast(t.lag as integer) as lag,
    cast(l.position as smallint) as at_position,
    -- the measure whose cells give an indicator its periods and its finest level; null if those of a level above are all there is
    case when t.at_level is null then t.measure_key when not {{ is_built_in("coalesce(t.times, 'areas')") }} then t.times_key end as counted_key,
    s.sex_code,
    -- an age group without any data has a code that no observation has
    case when t.age is not null then coalesce(a.age_code, -{{ var('sex_codes') | length }}) end as age_code
from {{ ref('stg_terms') }} as t
left join ages as a on a.age = t.age
left join sexes as s on s.sex = t.sex
left join {{ ref('stg_levels') }} as l on l.level = t.at_level
