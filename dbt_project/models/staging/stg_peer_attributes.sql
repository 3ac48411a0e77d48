-- grain: one measure or indicator by which peers are chosen
select
    attribute,
    position,
    kind,
    k
from {{ lake('peer_attributes') }}
