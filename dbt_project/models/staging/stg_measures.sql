-- grain: one row per measure and source that reports it
select
    measure,
    measure_key,
    source,
    additive,
    divisible,
    weighted_by,
    weighted_by_key,
    source_position,
    has_universe,
    is_counted,
    to_period,
    needed_periods,
    mean_of_periods,
    confidential_below
from {{ lake('measures') }}
