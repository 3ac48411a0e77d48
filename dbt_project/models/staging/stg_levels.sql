-- grain: one row per level of territory
select
    level,
    position,
    title
from {{ lake('levels') }}
