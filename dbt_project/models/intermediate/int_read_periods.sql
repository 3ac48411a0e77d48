-- grain: one row per indicator, period, measure that its values read and period in which they read it
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with read_measures as (
    select *
    from ({{ measures_of_terms() }}) as t
    where {{ in_scope('t.indicator_key') }}
)

select distinct
    p.indicator_key,
    p.period_key,
    t.measure_key,
    cast({{ key_years_before('p.period_key', 't.lag + y.years_to_base + y.years_back') }} as integer) as at_period
from {{ ref('int_indicator_periods') }} as p
inner join read_measures as t on t.indicator_key = p.indicator_key
inner join ({{ years_to_terms() }}) as y on y.indicator_key = p.indicator_key
