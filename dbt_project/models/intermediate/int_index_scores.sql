-- grain: one row per index, node, area and period, with its score
select *
from {{ statistics('index_scores') }}
