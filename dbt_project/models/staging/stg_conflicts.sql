-- grain: one cell to which a source gives several values
select
    source,
    measure,
    ref_area,
    time_period,
    sex,
    age
from {{ lake('conflicts') }}
