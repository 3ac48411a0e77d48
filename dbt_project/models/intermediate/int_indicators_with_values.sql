-- grain: one row per indicator with at least one published value
select distinct indicator_key
from {{ ref('int_indicator_cells') }}
where obs_value is not null
