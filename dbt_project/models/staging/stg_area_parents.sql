-- grain: one direct parent of an area, while it is one
select
    ref_area,
    parent,
    valid_from,
    valid_to
from {{ lake('area_parents') }}
