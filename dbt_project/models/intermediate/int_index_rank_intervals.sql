-- grain: one row per index that declares uncertainty, node, area and period, with the interval of its rank
select *
from {{ statistics('index_rank_intervals') }}
