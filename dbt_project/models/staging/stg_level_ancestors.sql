-- grain: one row per level and level strictly above it, by any chain
with recursive above as (
    select level, parent_level as ancestor_level
    from {{ lake('level_parents') }}
    union all
    select above.level, up.parent_level as ancestor_level
    from above
    inner join {{ lake('level_parents') }} as up on up.level = above.ancestor_level
)

select distinct
    level,
    ancestor_level
from above
