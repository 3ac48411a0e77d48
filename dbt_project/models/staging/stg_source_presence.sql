-- grain: one row per source, area and period in which the source has any row
select distinct
    source,
    ref_area,
    time_period
from {{ lake('observations') }}
where measure is null
