-- grain: one row per area that changed, day of the change and current area that holds a share of it; valid from its previous change
with recursive days_of_change as (
    select distinct from_area, changed_on
    from {{ ref('int_area_shares') }}
),

-- the day on which the receiving area itself changes next; null if it does not
changes as (
    select
        s.from_area,
        s.to_area,
        s.changed_on,
        s.share,
        min(n.changed_on) as next_change
    from {{ ref('int_area_shares') }} as s
    left join days_of_change as n on n.from_area = s.to_area and n.changed_on > s.changed_on
    group by s.from_area, s.to_area, s.changed_on, s.share
),

steps as (
    select
        from_area as origin,
        changed_on as valid_to,
        to_area as area,
        next_change,
        share
    from changes
    union all
    select
        s.origin,
        s.valid_to,
        c.to_area as area,
        c.next_change,
        s.share * c.share as share
    from steps as s
    inner join changes as c on c.from_area = s.area and c.changed_on = s.next_change
),

-- each state of an area begins with its previous change
spans as (
    select
        from_area as origin,
        changed_on as valid_to,
        max(changed_on) over (partition by from_area order by changed_on rows between unbounded preceding and 1 preceding) as valid_from
    from days_of_change
),

-- an area can reach another one by several paths
shares_by_path as (
    select
        r.origin,
        p.valid_from,
        r.valid_to,
        r.area,
        sum(r.share) over (
            partition by r.origin, r.valid_to, r.area order by r.share rows between unbounded preceding and unbounded following
        ) as share
    from steps as r
    inner join spans as p on p.origin = r.origin and p.valid_to = r.valid_to
    where r.next_change is null
)

select
    o.area_key as origin_key,
    s.valid_from,
    s.valid_to,
    a.area_key,
    max(s.share) as share
from shares_by_path as s
inner join {{ ref('dim_area') }} as o on o.ref_area = s.origin
inner join {{ ref('dim_area') }} as a on a.ref_area = s.area
group by o.area_key, s.valid_from, s.valid_to, a.area_key
