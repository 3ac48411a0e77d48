-- grain: one row per area, day of change and area that receives a share of it; a share that an area keeps goes to the area itself
with declared_changes as (
    select
        from_area,
        to_area,
        changed_on,
        share,
        count(*) over same_change as n_receivers,
        bool_and(share is not null) over same_change as has_shares
    from {{ ref('stg_area_changes') }}
    window same_change as (partition by from_area, changed_on)
),

-- without a declared share, areas are divided by the pack's weight, in the first period after the change in which all of them have one
weights as (
    select
        s.from_area,
        s.changed_on,
        s.to_area,
        o.obs_value as weight,
        {{ first_day('o.time_period') }} as first_day,
        count(*) over (partition by s.from_area, s.changed_on, o.time_period) = s.n_receivers as is_complete
    from declared_changes as s
    inner join {{ ref('int_reported_observations') }} as o on o.ref_area = s.to_area
    inner join {{ ref('stg_pack') }} as p on p.weight = o.measure
    where
        not s.has_shares
        and o.sex = '_T'
        and o.age = '_T'
        and o.obs_value is not null
        and {{ first_day('o.time_period') }} >= s.changed_on
),

first_weights as (
    select from_area, changed_on, to_area, weight
    from weights
    where is_complete
    qualify first_day = min(first_day) over (partition by from_area, changed_on)
),

shares as (
    select
        s.from_area,
        s.to_area,
        s.changed_on,
        case
            when s.has_shares then s.share
            when sum(w.weight) over same_change > 0 then w.weight / sum(w.weight) over same_change
            else 1.0 / s.n_receivers
        end as share
    from declared_changes as s
    left join first_weights as w
        on w.from_area = s.from_area and w.changed_on = s.changed_on and w.to_area = s.to_area
    window same_change as (partition by s.from_area, s.changed_on)
),

kept_shares as (
    select
        from_area,
        from_area as to_area,
        changed_on,
        1 - sum(share) as share
    from shares
    group by from_area, changed_on
    having sum(share) < 1 - {{ var('share_tolerance') }} and not bool_or(to_area = from_area)
)

select from_area, to_area, changed_on, share from shares
union all
select from_area, to_area, changed_on, share from kept_shares
