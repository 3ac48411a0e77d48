-- grain: one row per scheme, code and validity of the code
select
    scheme,
    code,
    valid_from,
    valid_to,
    ref_area
from {{ lake('area_codes') }}
