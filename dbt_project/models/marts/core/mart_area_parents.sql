-- grain: one direct parent of an area, while it is one
select
    ref_area,
    parent,
    coalesce(strftime(valid_from, '%Y-%m-%d'), '') as valid_from,
    strftime(valid_to, '%Y-%m-%d') as valid_to
from {{ ref('stg_area_parents') }}
