-- grain: one break in the series of an indicator: the first day of the rows that lie after it
with measures_of_terms as (
    select indicator, lag, measure from {{ ref('stg_terms') }}
    union
    select indicator, lag, times as measure from {{ ref('stg_terms') }} where times is not null
)

-- a term that looks years back meets the break as many years later
select distinct
    t.indicator,
    {{ first_day(years_before('b.period', '(-t.lag)')) }} as first_day
from {{ ref('stg_breaks') }} as b
inner join measures_of_terms as t on t.measure = b.measure
