-- grain: one row per indicator, level and sex with values in two periods or more: the base period of progress, and the last period
with periods as (
    select distinct
        c.indicator,
        c.level,
        c.sex,
        c.time_period,
        {{ first_day('c.time_period') }} as first_day
    from {{ ref('int_indicator_cells') }} as c
    inner join {{ ref('stg_indicators') }} as i on i.indicator = c.indicator and i.direction <> 'none'
    where c.obs_value is not null and c.age = '_T'
),

last_periods as (
    select *
    from periods
    qualify row_number() over (partition by indicator, level, sex order by first_day desc, time_period asc) = 1
)

-- the base is the first period since the goals were adopted; a series that ends before that is measured from its first period
select
    l.indicator,
    l.level,
    l.sex,
    p.time_period as base_period,
    l.time_period as last_period
from last_periods as l
inner join periods as p on p.indicator = l.indicator and p.level = l.level and p.sex = l.sex and p.first_day < l.first_day
qualify
    row_number() over (
        partition by l.indicator, l.level, l.sex
        order by p.first_day < date '{{ var('progress').first_day }}', p.first_day, p.time_period
    ) = 1
