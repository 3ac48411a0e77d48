-- grain: one row per measure, source and break in their series
select
    measure,
    measure_key,
    source,
    period,
    note,
    notes
from {{ lake('breaks') }}
