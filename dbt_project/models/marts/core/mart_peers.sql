-- grain: one row per area and peer
select
    ref_area,
    position,
    peer,
    distance
from {{ ref('int_peers') }}
