-- grain: one row per area
select
    ref_area,
    level,
    name,
    country,
    lat,
    lon,
    area_km2,
    valid_from,
    valid_to
from {{ lake('areas') }}
