-- grain: one code of an area, while it has it
select
    scheme,
    code,
    valid_from,
    valid_to,
    ref_area
from {{ lake('area_codes') }}
