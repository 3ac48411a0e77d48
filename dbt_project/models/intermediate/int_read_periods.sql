-- grain: one row per indicator, period, measure that its values read and period in which they read it
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with read_measures as (
    select *
    from ({{ measures_of_terms() }}) as t
    where {{ in_scope('t.indicator_key') }}
),

-- the years from a row back to what it reads: over its window, and again from the base of its change
offsets as (
    select
        w.indicator_key,
        w.years_back + b.years_to_base as years
    from {{ ref('int_window_years') }} as w
    inner join (
        select indicator_key, 0 as years_to_base from {{ ref('stg_indicators') }}
        union
        select indicator_key, change_years as years_to_base from {{ ref('stg_indicators') }} where change_years is not null
    ) as b on b.indicator_key = w.indicator_key
)

select distinct
    p.indicator_key,
    p.period_key,
    t.measure_key,
    cast({{ key_years_before('p.period_key', 't.lag + o.years') }} as integer) as at_period
from {{ ref('int_indicator_periods') }} as p
inner join read_measures as t on t.indicator_key = p.indicator_key
inner join offsets as o on o.indicator_key = p.indicator_key
