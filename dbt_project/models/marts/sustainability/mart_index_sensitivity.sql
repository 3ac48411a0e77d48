-- grain: one row per index, component and statistic
select
    index_id as index,
    component,
    statistic,
    obs_value,
    case when obs_value is null then 'Z' else 'A' end as obs_status
from {{ ref('int_index_sensitivity') }}
