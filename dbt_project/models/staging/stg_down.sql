-- grain: one row per part of a source without a valid snapshot
select
    source,
    time_period
from {{ lake('down') }}
