-- grain: one row per area and peer
select *
from {{ statistics('peers') }}
