-- grain: one row per area, direct parent and first day of the link
select
    ref_area,
    parent,
    coalesce(cast(valid_from as string), '') as valid_from,
    cast(valid_to as string) as valid_to
from {{ ref('stg_area_parents') }}
