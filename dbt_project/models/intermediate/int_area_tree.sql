-- grain: one area strictly above another in a period, by any path
with recursive links as (
    select
        child.time_period,
        l.ref_area,
        parent.ref_area as parent
    from {{ ref('int_valid_areas') }} as child
    inner join {{ ref('int_periods') }} as p on p.time_period = child.time_period
    inner join {{ ref('stg_areas') }} as a on a.ref_area = child.ref_area
    -- an area that series were restated to lies, before it was there, where it lay first
    inner join {{ ref('stg_area_parents') }} as l
        on
            l.ref_area = child.ref_area
            and (l.valid_from is null or l.valid_from <= greatest(p.first_day, a.valid_from))
            and (l.valid_to is null or greatest(p.first_day, a.valid_from) < l.valid_to)
    -- a parent that was passed on as a whole is what it became
    left join {{ ref('int_area_successions') }} as s
        on
            s.origin = l.parent
            and s.share > 1 - 1e-9
            and p.first_day < s.valid_to
            and (s.valid_from is null or s.valid_from <= p.first_day)
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
