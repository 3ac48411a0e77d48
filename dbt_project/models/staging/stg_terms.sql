-- grain: one row per term of a formula
select
    indicator,
    indicator_key,
    side,
    position,
    measure,
    measure_key,
    times,
    times_key,
    factor,
    sex,
    age,
    lag,
    at_level
from {{ lake('terms') }}
