-- grain: one source that fills a measure
select
    measure,
    source,
    additive,
    weighted_by,
    source_position,
    has_universe
from {{ lake('measures') }}
