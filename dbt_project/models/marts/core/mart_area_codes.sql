-- grain: one row per scheme, code and first day of the code
select
    scheme,
    code,
    coalesce(strftime(valid_from, '%Y-%m-%d'), '') as valid_from,
    strftime(valid_to, '%Y-%m-%d') as valid_to,
    ref_area
from {{ ref('stg_area_codes') }}
