-- grain: one row per indicator and break in its series, with the first day after the break
with measures_of_terms as (
    {{ measures_of_terms() }}
),

breaks as (
    select distinct
        b.measure_key,
        {{ key_of_longer(period_key('b.period'), 'm.to_period') }} as period_key
    from {{ ref('stg_breaks') }} as b
    inner join {{ ref('stg_measures') }} as m on m.measure = b.measure and m.source = b.source
),

-- a term with a lag reads the break that many years later
later_breaks as (
    select distinct
        t.indicator_key,
        {{ key_years_before('b.period_key', '-t.lag') }} as period_key
    from breaks as b
    inner join measures_of_terms as t on t.measure_key = b.measure_key
)

select distinct
    indicator_key,
    {{ first_day_number('period_key') }} as day_number
from later_breaks
