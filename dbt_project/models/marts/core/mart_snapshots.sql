-- grain: one row per snapshot: the bytes of one part of a source
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
from {{ ref('stg_snapshots') }}
