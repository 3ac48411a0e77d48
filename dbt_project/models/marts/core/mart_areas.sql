-- grain: one row per area
select
    ref_area,
    level,
    name,
    country,
    lat,
    lon,
    area_km2,
    cast(valid_from as string) as valid_from,
    cast(valid_to as string) as valid_to
from {{ ref('stg_areas') }}
