-- grain: one row per period and area that is valid on its first day, by the dates of the area itself
select
    p.time_period,
    p.first_day,
    a.ref_area,
    a.level
from {{ ref('int_periods') }} as p
inner join {{ ref('stg_areas') }} as a
    on {{ is_valid_on('a', 'p.first_day') }}
