-- grain: one row per period that a source reports or lacks, or that a span names; the key is a number that sorts as the period does
with periods as (
    select time_period from {{ ref('stg_observations') }}
    union
    select time_period from {{ ref('stg_source_presence') }} where time_period is not null
    union
    -- both ends of a declared span have a territory, whether or not any source reports them
    select first_period as time_period from {{ ref('stg_convergence_spans') }}
    union
    select last_period as time_period from {{ ref('stg_convergence_spans') }}
    union
    select time_period from {{ ref('stg_down') }} where time_period is not null
    union
    -- the longer periods of measures whose rows have finer ones
    select distinct {{ longer_period('o.time_period', 'm.to_period') }} as time_period
    from {{ ref('stg_observations') }} as o
    inner join {{ ref('stg_measures') }} as m on m.measure = o.measure and m.source = o.source and m.to_period is not null
)

select
    {{ period_key('time_period') }} as period_key,
    time_period,
    {{ first_day('time_period') }} as first_day
from periods
