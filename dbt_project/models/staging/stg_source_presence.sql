-- grain: one area and period in which a source has any row
select distinct
    source,
    ref_area,
    time_period
from {{ lake('observations') }}
where measure is null
