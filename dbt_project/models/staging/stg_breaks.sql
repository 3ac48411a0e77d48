-- grain: one row per measure, source and break in their series
select
    measure,
    source,
    period,
    note
from {{ lake('breaks') }}
