-- grain: one area strictly above another in a period, by any path
with recursive links as (
    select
        p.time_period,
        l.ref_area,
        l.parent
    from {{ ref('int_periods') }} as p
    inner join {{ ref('stg_area_parents') }} as l
        on
            (l.valid_from is null or l.valid_from <= p.first_day)
            and (l.valid_to is null or p.first_day < l.valid_to)
    inner join {{ ref('int_valid_areas') }} as child
        on child.time_period = p.time_period and child.ref_area = l.ref_area
    inner join {{ ref('int_valid_areas') }} as parent
        on parent.time_period = p.time_period and parent.ref_area = l.parent
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
