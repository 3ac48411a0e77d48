-- grain: one row per indicator and level at which it is published
select
    il.indicator_key,
    cast(l.position as smallint) as level_position
from {{ ref('stg_indicator_levels') }} as il
inner join {{ ref('stg_levels') }} as l on l.level = il.level
