-- grain: one row per period, area and level that a formula names, with the area of that level in which the area lies, if there is only one
with named_levels as (
    select at_position as level_position
    from {{ ref('int_terms') }}
    where at_position is not null
    union
    select cast(l.position as smallint) as level_position
    from {{ ref('stg_indicators') }} as i
    inner join {{ ref('stg_levels') }} as l on l.level = i.difference_to
),

-- an area of the level is its own
above as (
    select
        period_key,
        area_key,
        ancestor_position as level_position,
        ancestor_key as above_key
    from {{ ref('int_area_tree') }}
    union all
    select
        period_key,
        area_key,
        level_position,
        area_key as above_key
    from {{ ref('int_valid_areas') }}
)

select
    a.period_key,
    a.area_key,
    a.level_position,
    max(a.above_key) as above_key
from above as a
inner join named_levels as n on n.level_position = a.level_position
group by a.period_key, a.area_key, a.level_position
having count(*) = 1
