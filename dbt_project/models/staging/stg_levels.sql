-- grain: one level of territory
select
    level,
    position,
    title
from {{ lake('levels') }}
