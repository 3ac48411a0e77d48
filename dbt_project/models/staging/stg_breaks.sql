-- grain: one break in a series
select
    measure,
    source,
    period,
    note
from {{ lake('breaks') }}
