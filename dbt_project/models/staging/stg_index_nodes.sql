-- grain: one row per index and node
select
    index_id,
    node,
    parent,
    position,
    indicator,
    weight,
    bound_worst,
    bound_best,
    direction,
    normalise,
    aggregate,
    required
from {{ lake('index_nodes') }}
