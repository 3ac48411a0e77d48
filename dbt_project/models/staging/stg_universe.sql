-- grain: one area that a source with a declared universe reports on
select
    source,
    ref_area
from {{ lake('universe') }}
