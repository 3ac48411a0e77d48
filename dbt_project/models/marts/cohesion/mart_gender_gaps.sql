-- grain: one row per indicator that is published by sex, area, period and age group
with values_by_sex as (
    select
        c.indicator,
        c.ref_area,
        c.time_period,
        c.age,
        any_value(c.level) as level,
        max(c.obs_value) filter (where c.sex = 'F') as female,
        max(c.obs_value) filter (where c.sex = 'M') as male,
        max({{ status_rank('c.obs_status') }}) as status_rank,
        -- the statuses L and Z have no rank
        bool_or(c.obs_status = 'L') as is_low,
        bool_or(c.obs_status = 'Z') as is_undefined
    from {{ ref('int_indicator_cells') }} as c
    where c.sex in ('M', 'F')
    group by c.indicator, c.ref_area, c.time_period, c.age
),

-- a ratio needs a value of men above zero and no value below zero
ratios as (
    select
        *,
        case when male > 0 and female >= 0 then {{ finite('female / male') }} end as ratio
    from values_by_sex
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
        when {{ lacks_value('status_rank') }} then {{ rank_status('status_rank') }}
        when is_low then 'L'
        when is_undefined or ratio is null then 'Z'
        else {{ rank_status('status_rank') }}
    end as obs_status
from ratios
