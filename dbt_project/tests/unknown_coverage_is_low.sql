-- An unknown coverage is never sufficient for a value.
select
    indicator,
    ref_area,
    time_period,
    sex,
    age
from {{ ref('mart_indicator_values') }}
where coverage is null and obs_status <> 'L'
