-- grain: one row per term of a formula
select
    indicator,
    side,
    position,
    measure,
    times,
    factor,
    sex,
    age,
    lag
from {{ lake('terms') }}
