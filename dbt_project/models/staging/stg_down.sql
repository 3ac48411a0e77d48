-- grain: one part of a source that has no good snapshot
select
    source,
    time_period
from {{ lake('down') }}
