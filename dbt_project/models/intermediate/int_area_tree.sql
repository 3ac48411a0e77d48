-- grain: one row per period, area and area strictly above it, by any path
with recursive links as (
    select
        child.time_period,
        l.ref_area,
        parent.ref_area as parent
    from {{ ref('int_valid_areas') }} as child
    inner join {{ ref('int_periods') }} as p on p.time_period = child.time_period
    inner join {{ ref('stg_areas') }} as a on a.ref_area = child.ref_area
    -- series can be restated to periods before an area existed: there it has its first parents
    inner join {{ ref('stg_area_parents') }} as l
        on
            l.ref_area = child.ref_area
            and {{ is_valid_on('l', 'greatest(p.first_day, a.valid_from)') }}
    -- a parent that became another area as a whole is replaced by that area
    left join {{ ref('int_area_successions') }} as s
        on
            s.origin = l.parent
            and s.share > 1 - {{ var('share_tolerance') }}
            and {{ succession_holds_on('s', 'p.first_day') }}
    inner join {{ ref('int_valid_areas') }} as parent
        on parent.time_period = child.time_period and parent.ref_area = coalesce(s.area, l.parent)
),

above as (
    select time_period, ref_area, parent as ancestor
    from links
    union
    select above.time_period, above.ref_area, links.parent as ancestor
    from above
    inner join links on links.time_period = above.time_period and links.ref_area = above.ancestor
)

select
    above.time_period,
    above.ref_area,
    child.level,
    above.ancestor,
    parent.level as ancestor_level
from above
inner join {{ ref('stg_areas') }} as child on child.ref_area = above.ref_area
inner join {{ ref('stg_areas') }} as parent on parent.ref_area = above.ancestor
