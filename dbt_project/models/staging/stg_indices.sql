-- grain: one row per declared index
select
    index_id,
    position,
    title,
    objective,
    level,
    period,
    max_age,
    carry,
    treat,
    impute,
    normalise,
    pooled,
    aggregate,
    min_available,
    uncertainty,
    steps,
    rank_partial,
    titles,
    notes
from {{ lake('indices') }}
