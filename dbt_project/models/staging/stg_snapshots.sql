-- grain: one row per snapshot of this state of the lake
select
    source,
    part,
    url,
    sha256,
    bytes,
    fetched_at,
    rows_read,
    rows_accepted,
    rows_quarantined,
    rows_ignored
from {{ lake('snapshots') }}
