-- grain: one term of a formula
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
