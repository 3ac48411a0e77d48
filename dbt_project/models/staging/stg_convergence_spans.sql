-- grain: one row per indicator and pair of periods for which it declares its convergence
select
    indicator,
    first_period,
    last_period
from {{ lake('convergence_spans') }}
