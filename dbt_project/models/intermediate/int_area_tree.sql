-- grain: one row per period, area and area strictly above it, by any path
with recursive last_changes as (
    select
        p.period_key,
        s.origin_key,
        max(s.valid_to) as changed_on
    from {{ ref('dim_period') }} as p
    inner join {{ ref('int_area_successions') }} as s on s.valid_to <= p.first_day
    group by p.period_key, s.origin_key
),

links as (
    select distinct
        child.period_key,
        child.area_key,
        parent.area_key as parent_key
    from {{ ref('int_valid_areas') }} as child
    inner join {{ ref('dim_period') }} as p on p.period_key = child.period_key
    inner join {{ ref('dim_area') }} as a on a.area_key = child.area_key
    -- series can be restated to periods in which an area did not exist: there it has the parents with which it began, or began again
    left join {{ ref('stg_area_gaps') }} as g
        on g.ref_area = a.ref_area and {{ gap_holds_on('g', 'p.first_day') }}
    inner join {{ ref('stg_area_parents') }} as l
        on
            l.ref_area = a.ref_area
            and {{ is_valid_on('l', 'coalesce(g.resumed_on, greatest(p.first_day, a.valid_from))') }}
    inner join {{ ref('dim_area') }} as declared on declared.ref_area = l.parent
    -- a parent that became another area as a whole is replaced by that area: before the change, and while it does not exist after it
    left join {{ ref('int_own_validity') }} as v
        on v.period_key = child.period_key and v.area_key = declared.area_key
    left join last_changes as c
        on c.period_key = child.period_key and c.origin_key = declared.area_key and v.area_key is null
    left join {{ ref('int_area_successions') }} as s
        on
            s.origin_key = declared.area_key
            and s.share > 1 - {{ var('share_tolerance') }}
            and (
                s.valid_to = c.changed_on
                or (c.changed_on is null and {{ succession_holds_on('s', 'p.first_day') }})
            )
    inner join {{ ref('int_valid_areas') }} as parent
        on parent.period_key = child.period_key and parent.area_key = coalesce(s.area_key, declared.area_key)
),

-- several paths can lead to the same area
paths as (
    select period_key, area_key, parent_key as ancestor_key
    from links
    union all
    select paths.period_key, paths.area_key, links.parent_key as ancestor_key
    from paths
    inner join links on links.period_key = paths.period_key and links.area_key = paths.ancestor_key
),

above as (
    select distinct period_key, area_key, ancestor_key
    from paths
)

select
    above.period_key,
    above.area_key,
    child.level_position,
    above.ancestor_key,
    parent.level_position as ancestor_position
from above
inner join {{ ref('dim_area') }} as child on child.area_key = above.area_key
inner join {{ ref('dim_area') }} as parent on parent.area_key = above.ancestor_key
