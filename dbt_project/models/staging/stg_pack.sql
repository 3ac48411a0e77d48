-- grain: one row, the pack
select
    pack,
    country,
    weight,
    weight_key,
    min_coverage,
    min_available,
    languages
from {{ lake('pack') }}
