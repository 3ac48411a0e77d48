-- grain: one row per area, direct parent and validity of the link
select
    ref_area,
    parent,
    valid_from,
    valid_to
from {{ lake('area_parents') }}
