-- grain: one row per cell for which a source reports several values
select
    source,
    measure,
    ref_area,
    time_period,
    sex,
    age
from {{ lake('conflicts') }}
