-- grain: one area that is valid on the first day of a period by its own dates
select
    p.time_period,
    p.first_day,
    a.ref_area,
    a.level
from {{ ref('int_periods') }} as p
inner join {{ ref('stg_areas') }} as a
    on
        (a.valid_from is null or a.valid_from <= p.first_day)
        and (a.valid_to is null or p.first_day < a.valid_to)
