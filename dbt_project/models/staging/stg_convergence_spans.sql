-- grain: one pair of periods between which an indicator declares its convergence
select
    indicator,
    first_period,
    last_period
from {{ lake('convergence_spans') }}
