-- grain: one row per period and area of the territory that it is published for: areas that changed since are replaced by what they became
with changed_areas as (
    select
        v.period_key,
        v.area_key as origin_key,
        s.area_key
    from {{ ref('int_own_validity') }} as v
    inner join {{ ref('int_area_successions') }} as s
        on s.origin_key = v.area_key and {{ succession_holds_on('s', 'v.first_day') }}
),

current_areas as (
    select v.period_key, v.area_key
    from {{ ref('int_own_validity') }} as v
    left join changed_areas as c on c.period_key = v.period_key and c.origin_key = v.area_key
    where c.origin_key is null
    union
    select period_key, area_key from changed_areas
)

select
    p.period_key,
    p.area_key,
    a.level_position
from current_areas as p
inner join {{ ref('dim_area') }} as a on a.area_key = p.area_key
