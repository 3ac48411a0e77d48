-- grain: one row per source
select
    s.source,
    s.title,
    s.publisher,
    s.licence,
    s.rights,
    s.carrier,
    s.homepage,
    s.confidence,
    coalesce(c.rows_read, 0) as rows_read,
    coalesce(c.rows_accepted, 0) as rows_accepted,
    coalesce(c.rows_quarantined, 0) as rows_quarantined,
    coalesce(c.rows_ignored, 0) as rows_ignored,
    coalesce(c.cells_quarantined, 0) as cells_quarantined,
    c.stale_since
from {{ ref('stg_sources') }} as s
left join {{ ref('stg_source_counts') }} as c on c.source = s.source
