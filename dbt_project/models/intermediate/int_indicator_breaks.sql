-- grain: one row per indicator and break in its series, with the first day after the break
with measures_of_terms as (
    {{ measures_of_terms() }}
)

-- a term with a lag reads the break that many years later
select distinct
    t.indicator,
    {{ first_day(years_before('b.period', '(-t.lag)')) }} as first_day
from {{ ref('stg_breaks') }} as b
inner join measures_of_terms as t on t.measure = b.measure
