-- grain: one area and one of its peers
select
    ref_area,
    position,
    peer,
    distance
from {{ ref('int_peers') }}
