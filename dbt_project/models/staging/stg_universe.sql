-- grain: one row per source with a declared universe and area in it
select
    source,
    ref_area
from {{ lake('universe') }}
