-- grain: one row per area and attribute
select
    ref_area,
    attribute,
    value
from {{ lake('area_attributes') }}
