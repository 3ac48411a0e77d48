-- grain: one row per indicator and level at which it is published
select
    indicator,
    indicator_key,
    level
from {{ lake('indicator_levels') }}
