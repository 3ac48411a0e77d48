-- grain: one row per area, day of change and area that receives a share of it; a share that an area keeps goes to the area itself
with declared_changes as (
    select
        from_area,
        to_area,
        changed_on,
        share,
        count(*) over (partition by from_area, changed_on) as n_receivers,
        min(case when share is null then 0 else 1 end) over (partition by from_area, changed_on) = 1 as has_shares
    from {{ ref('stg_area_changes') }}
),

-- without a declared share, areas are divided by the pack's weight, in the first period after the change in which all of them have one
weights as (
    select
        s.from_area,
        s.changed_on,
        s.to_area,
        o.obs_value as weight,
        d.first_day,
        count(*) over (partition by s.from_area, s.changed_on, o.period_key) = s.n_receivers as is_complete
    from declared_changes as s
    inner join {{ ref('dim_area') }} as a on a.ref_area = s.to_area
    inner join {{ ref('int_reported_observations') }} as o on o.area_key = a.area_key
    inner join {{ ref('stg_pack') }} as p on p.weight_key = o.measure_key
    inner join {{ ref('dim_period') }} as d on d.period_key = o.period_key
    where
        not s.has_shares
        and o.breakdown_key = {{ total() }}
        and o.obs_value is not null
        and d.first_day >= s.changed_on
),

complete_weights as (
    select
        *,
        min(first_day) over (partition by from_area, changed_on) as first_complete_day
    from weights
    where is_complete
),

first_weights as (
    select from_area, changed_on, to_area, weight
    from complete_weights
    where first_day = first_complete_day
),

weighted_changes as (
    select
        s.from_area,
        s.to_area,
        s.changed_on,
        s.share,
        s.n_receivers,
        s.has_shares,
        w.weight,
        sum(w.weight) over (partition by s.from_area, s.changed_on order by s.to_area rows between unbounded preceding and unbounded following)
            as total_weight
    from declared_changes as s
    left join first_weights as w
        on w.from_area = s.from_area and w.changed_on = s.changed_on and w.to_area = s.to_area
),

shares as (
    select
        from_area,
        to_area,
        changed_on,
        case
            when has_shares then share
            when total_weight > 0 then weight / total_weight
            else cast(1 as double) / n_receivers
        end as share
    from weighted_changes
),

running_shares as (
    select
        from_area,
        to_area,
        changed_on,
        share,
        sum(share) over (partition by from_area, changed_on order by to_area rows between unbounded preceding and unbounded following) as total_share
    from shares
),

kept_shares as (
    select
        from_area,
        from_area as to_area,
        changed_on,
        1 - max(total_share) as share
    from running_shares
    group by from_area, changed_on
    having max(total_share) < 1 - {{ var('share_tolerance') }} and not bool_or(to_area = from_area)
)

select from_area, to_area, changed_on, share from shares
union all
select from_area, to_area, changed_on, share from kept_shares
