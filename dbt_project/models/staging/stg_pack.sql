-- grain: one row, the pack
select
    pack,
    country,
    weight,
    min_coverage,
    min_available,
    languages
from {{ lake('pack') }}
