-- grain: one row per area, day of change and area that receives all or a share of it
select
    from_area,
    to_area,
    changed_on,
    share
from {{ lake('area_changes') }}
group by from_area, to_area, changed_on, share
