-- grain: one row per note on values of a source
select
    note,
    source,
    position,
    texts
from {{ lake('notes') }}
