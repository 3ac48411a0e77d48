-- grain: one row per measure and source that reports it
select
    measure,
    source,
    additive,
    weighted_by,
    source_position,
    has_universe,
    is_counted
from {{ lake('measures') }}
