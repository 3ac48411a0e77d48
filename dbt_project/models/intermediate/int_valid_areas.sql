-- grain: one row per period and area of the territory that it is published for: areas that changed since are replaced by what they became
with changed_areas as (
    select
        v.time_period,
        v.ref_area as origin,
        s.area
    from {{ ref('int_own_validity') }} as v
    inner join {{ ref('int_area_successions') }} as s
        on s.origin = v.ref_area and {{ succession_holds_on('s', 'v.first_day') }}
),

current_areas as (
    select v.time_period, v.ref_area
    from {{ ref('int_own_validity') }} as v
    left join changed_areas as c on c.time_period = v.time_period and c.origin = v.ref_area
    where c.origin is null
    union
    select time_period, area as ref_area from changed_areas
)

select
    p.time_period,
    p.ref_area,
    a.level
from current_areas as p
inner join {{ ref('stg_areas') }} as a on a.ref_area = p.ref_area
