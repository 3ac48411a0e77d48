-- grain: one area of the territory that a period is published for: an area that has changed since gives way to what it became
with changed as (
    select
        v.time_period,
        v.ref_area as origin,
        s.area
    from {{ ref('int_own_validity') }} as v
    inner join {{ ref('int_area_successions') }} as s
        on s.origin = v.ref_area and v.first_day < s.valid_to and (s.valid_from is null or s.valid_from <= v.first_day)
),

places as (
    select v.time_period, v.ref_area
    from {{ ref('int_own_validity') }} as v
    left join changed as c on c.time_period = v.time_period and c.origin = v.ref_area
    where c.origin is null
    union
    select time_period, area as ref_area from changed
)

select
    p.time_period,
    p.ref_area,
    a.level
from places as p
inner join {{ ref('stg_areas') }} as a on a.ref_area = p.ref_area
