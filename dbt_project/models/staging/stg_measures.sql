-- grain: one source that fills a measure
select
    measure,
    source,
    additive,
    weighted_by,
    source_position,
    has_universe,
    is_counted
from {{ lake('measures') }}
