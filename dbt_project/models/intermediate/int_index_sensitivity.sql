-- grain: one row per index, component and statistic of what the index depends on
select *
from {{ statistics('index_sensitivity') }}
