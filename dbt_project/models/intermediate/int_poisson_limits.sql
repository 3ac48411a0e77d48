-- grain: one row per number of events, with the exact limits of the number to expect
select *
from {{ statistics('poisson_limits') }}
