-- grain: one code in a scheme, while an area has it
select
    scheme,
    code,
    coalesce(strftime(valid_from, '%Y-%m-%d'), '') as valid_from,
    strftime(valid_to, '%Y-%m-%d') as valid_to,
    ref_area
from {{ ref('stg_area_codes') }}
