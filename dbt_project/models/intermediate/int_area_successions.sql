-- grain: one row per area that changed, day of the change and current area that holds a share of it; valid from its previous change
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
    -- the next change of the receiving area
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

final_steps as (
    select s.*
    from steps as s
    where not exists (select 1 from changes as c where c.from_area = s.area and c.changed_on > s.changed_on)
),

days_of_change as (
    select distinct from_area, changed_on
    from changes
),

-- each state of an area begins with its previous change
spans as (
    select
        from_area as origin,
        changed_on as valid_to,
        max(changed_on) over (partition by from_area order by changed_on rows between unbounded preceding and 1 preceding) as valid_from
    from days_of_change
)

select
    r.origin,
    p.valid_from,
    r.valid_to,
    r.area,
    sum(r.share) as share
from final_steps as r
inner join spans as p on p.origin = r.origin and p.valid_to = r.valid_to
group by r.origin, p.valid_from, r.valid_to, r.area
