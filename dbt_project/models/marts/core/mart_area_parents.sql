-- grain: one row per area, direct parent and first day of the link
select
    ref_area,
    parent,
    coalesce(strftime(valid_from, '%Y-%m-%d'), '') as valid_from,
    strftime(valid_to, '%Y-%m-%d') as valid_to
from {{ ref('stg_area_parents') }}
