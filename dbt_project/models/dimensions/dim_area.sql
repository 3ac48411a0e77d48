-- grain: one row per area, with the integer by which other models join it
select
    cast(row_number() over (order by a.ref_area) as integer) as area_key,
    a.ref_area,
    a.level,
    cast(l.position as smallint) as level_position,
    a.area_km2,
    a.valid_from,
    a.valid_to
from {{ ref('stg_areas') }} as a
left join {{ ref('stg_levels') }} as l on l.level = a.level
