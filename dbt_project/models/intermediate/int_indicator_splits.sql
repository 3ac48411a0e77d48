-- grain: one row per indicator, period, sex and age group in which the indicator is published
with sexes as (
    select indicator, '_T' as sex from {{ ref('stg_indicators') }}
    union all
    select i.indicator, s.sex
    from {{ ref('stg_indicators') }} as i
    cross join (values ('M'), ('F')) as s (sex)
    where i.by_sex
),

ages as (
    select indicator, time_period, '_T' as age from {{ ref('int_indicator_periods') }}
    union
    select p.indicator, p.time_period, o.age
    from {{ ref('int_indicator_periods') }} as p
    inner join {{ ref('stg_indicators') }} as i on i.indicator = p.indicator and i.by_age
    inner join {{ ref('stg_terms') }} as t on t.indicator = p.indicator and t.side = 'numerator' and t.age is null
    inner join (select distinct measure, time_period, age from {{ ref('int_observations') }}) as o
        on o.measure = t.measure and o.time_period = p.time_period
)

select
    a.indicator,
    a.time_period,
    s.sex,
    a.age
from ages as a
inner join sexes as s on s.indicator = a.indicator
