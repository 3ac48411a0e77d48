-- One number that is none would spoil all sums that contain it.
select
    measure_key,
    area_key,
    period_key,
    breakdown_key
from {{ ref('int_observations') }}
where not abs(obs_value) <= 1.7976931348623157e308
