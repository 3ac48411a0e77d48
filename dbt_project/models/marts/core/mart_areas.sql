-- grain: one row per area
select
    ref_area,
    level,
    name,
    country,
    lat,
    lon,
    area_km2,
    strftime(valid_from, '%Y-%m-%d') as valid_from,
    strftime(valid_to, '%Y-%m-%d') as valid_to
from {{ ref('stg_areas') }}
