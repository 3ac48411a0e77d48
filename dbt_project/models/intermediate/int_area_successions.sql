-- grain: one current area that holds a share of what an area was, in the periods from one change of that area to its next
with recursive changes as (
    select from_area, to_area, changed_on, share
    from {{ ref('int_area_shares') }}
),

steps as (
    select
        from_area as origin,
        changed_on as valid_to,
        to_area as area,
        changed_on,
        share
    from changes
    union all
    -- onwards by the next change of the area that was reached
    select
        s.origin,
        s.valid_to,
        c.to_area as area,
        c.changed_on,
        s.share * c.share as share
    from steps as s
    inner join changes as c
        on
            c.from_area = s.area
            and c.changed_on = (select min(n.changed_on) from changes as n where n.from_area = s.area and n.changed_on > s.changed_on)
),

reached as (
    select s.*
    from steps as s
    where not exists (select 1 from changes as c where c.from_area = s.area and c.changed_on > s.changed_on)
),

-- the state of an area holds from its last change before
spans as (
    select
        from_area as origin,
        changed_on as valid_to,
        max(changed_on) over (partition by from_area order by changed_on rows between unbounded preceding and 1 preceding) as valid_from
    from (select distinct from_area, changed_on from changes)
)

select
    r.origin,
    p.valid_from,
    r.valid_to,
    r.area,
    sum(r.share) as share
from reached as r
inner join spans as p on p.origin = r.origin and p.valid_to = r.valid_to
group by r.origin, p.valid_from, r.valid_to, r.area
