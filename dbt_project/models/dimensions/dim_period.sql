-- grain: one row per period that a source reports or lacks; the key is a number that sorts as the period does
with periods as (
    select time_period from {{ ref('stg_observations') }}
    union
    select time_period from {{ ref('stg_source_presence') }} where time_period is not null
    union
    select time_period from {{ ref('stg_down') }} where time_period is not null
)

select
    {{ period_key('time_period') }} as period_key,
    time_period,
    {{ first_day('time_period') }} as first_day
from periods
