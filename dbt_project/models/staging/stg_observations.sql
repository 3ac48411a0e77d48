-- grain: one value that a part of a source gives to one measure, area, period, sex and age (plain measures may repeat a cell)
select
    source,
    part,
    measure,
    ref_area,
    time_period,
    sex,
    age,
    obs_value,
    obs_status,
    aggregate,
    by_sex,
    row_number,
    row_count,
    snapshot
from {{ lake('observations') }}
where measure is not null
