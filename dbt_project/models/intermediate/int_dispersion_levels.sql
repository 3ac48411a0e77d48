-- grain: one row per group of areas and level between the areas and the one above, by which Theil's T is decomposed
{{ config(materialized="view") }}
with level_pairs as (
    select
        low.position as level_position,
        high.position as ancestor_position
    from {{ ref('stg_level_ancestors') }} as a
    inner join {{ ref('stg_levels') }} as low on low.level = a.level
    inner join {{ ref('stg_levels') }} as high on high.level = a.ancestor_level
)

select
    g.group_key,
    cast(below.ancestor_position as smallint) as by_position
from {{ ref('int_dispersion_groups') }} as g
inner join {{ ref('dim_area') }} as a on a.area_key = g.within_key
inner join level_pairs as below on below.level_position = g.level_position
inner join level_pairs as above on above.level_position = below.ancestor_position and above.ancestor_position = a.level_position
