-- grain: one attribute of an area
select
    ref_area,
    attribute,
    value
from {{ lake('area_attributes') }}
