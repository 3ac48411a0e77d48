-- grain: one row per declared indicator; its rows are computed again if it is in scope
select
    i.indicator_key,
    i.indicator,
    u.name is null as in_scope
from {{ ref('stg_indicators') }} as i
left join {{ unchanged('indicator') }} as u on u.name = i.indicator
