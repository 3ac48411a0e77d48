-- grain: one indicator that is published by sex, area, period and age
with sexes as (
    select
        c.indicator,
        c.ref_area,
        c.time_period,
        c.age,
        any_value(c.level) as level,
        max(c.obs_value) filter (where c.sex = 'F') as female,
        max(c.obs_value) filter (where c.sex = 'M') as male,
        max({{ status_rank('c.obs_status') }}) as status_rank,
        -- low coverage and what is not defined have no rank among the reasons
        bool_or(c.obs_status = 'L') as is_low,
        bool_or(c.obs_status = 'Z') as is_undefined
    from {{ ref('int_indicator_cells') }} as c
    where c.sex in ('M', 'F')
    group by c.indicator, c.ref_area, c.time_period, c.age
),

-- a ratio needs men to compare with, and neither value below zero
compared as (
    select
        *,
        case when male > 0 and female >= 0 then {{ finite('female / male') }} end as ratio
    from sexes
)

select
    indicator,
    ref_area,
    time_period,
    age,
    level,
    female,
    male,
    {{ finite('female - male') }} as difference,
    ratio,
    case when ratio > 0 then abs(1 - least(ratio, 1 / ratio)) when ratio = 0 then 1.0 end as parity_distance,
    case
        when status_rank > 10 then {{ rank_status('status_rank') }}
        when is_low then 'L'
        when is_undefined or ratio is null then 'Z'
        else {{ rank_status('status_rank') }}
    end as obs_status
from compared
