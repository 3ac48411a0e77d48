-- grain: one row per note on values of a source
select
    note,
    source,
    position,
    always,
    is_undefined,
    texts
from {{ lake('notes') }}
