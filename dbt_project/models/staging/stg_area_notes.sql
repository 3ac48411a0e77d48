-- grain: one row per note on areas, measure and area that it is about
select
    source,
    measure,
    note,
    ref_area
from {{ lake('area_notes') }}
