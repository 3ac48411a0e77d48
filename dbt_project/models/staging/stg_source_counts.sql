-- grain: one row per source of this state of the lake
select
    source,
    rows_read,
    rows_accepted,
    rows_quarantined,
    rows_ignored,
    cells_quarantined,
    stale_since
from {{ lake('source_counts') }}
