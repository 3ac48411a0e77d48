-- grain: one row per area and time in which it is not valid, between its first and its last day
select
    ref_area,
    ended_on,
    resumed_on
from {{ lake('area_gaps') }}
