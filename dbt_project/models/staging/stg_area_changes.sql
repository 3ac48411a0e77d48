-- grain: one passing of an area, or of a share of it, to another one
select
    from_area,
    to_area,
    changed_on,
    share
from {{ lake('area_changes') }}
group by from_area, to_area, changed_on, share
