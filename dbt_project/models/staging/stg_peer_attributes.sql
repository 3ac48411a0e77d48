-- grain: one row per measure or indicator that selects peers
select
    attribute,
    position,
    kind,
    k
from {{ lake('peer_attributes') }}
