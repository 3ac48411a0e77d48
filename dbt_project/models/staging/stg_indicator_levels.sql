-- grain: one level an indicator is published at
select
    indicator,
    level
from {{ lake('indicator_levels') }}
