-- grain: one row per measure; its rows are computed again if it is in scope
select
    m.measure_key,
    m.measure,
    u.name is null as in_scope
from (select distinct measure_key, measure from {{ ref('stg_measures') }}) as m
left join {{ unchanged('measure') }} as u on u.name = m.measure
