-- grain: one row per scheme, code and first day of the code
select
    scheme,
    code,
    coalesce(cast(valid_from as string), '') as valid_from,
    cast(valid_to as string) as valid_to,
    ref_area
from {{ ref('stg_area_codes') }}
