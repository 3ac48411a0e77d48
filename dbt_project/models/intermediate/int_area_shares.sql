-- grain: one passing of an area to another one, with its share; what an area keeps is a passing to itself
with stated as (
    select
        from_area,
        to_area,
        changed_on,
        share,
        count(*) over same as passings,
        bool_and(share is not null) over same as is_stated
    from {{ ref('stg_area_changes') }}
    window same as (partition by from_area, changed_on)
),

-- what is not stated goes by the pack's weight, at the first period since then in which all of the areas have it
weights as (
    select
        s.from_area,
        s.changed_on,
        s.to_area,
        o.obs_value as weight,
        {{ first_day('o.time_period') }} as first_day,
        count(*) over (partition by s.from_area, s.changed_on, o.time_period) = s.passings as is_complete
    from stated as s
    inner join {{ ref('int_reported_observations') }} as o on o.ref_area = s.to_area
    inner join {{ ref('stg_pack') }} as p on p.weight = o.measure
    where
        not s.is_stated
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
            when s.is_stated then s.share
            when sum(w.weight) over same > 0 then w.weight / sum(w.weight) over same
            else 1.0 / s.passings
        end as share
    from stated as s
    left join first_weights as w
        on w.from_area = s.from_area and w.changed_on = s.changed_on and w.to_area = s.to_area
    window same as (partition by s.from_area, s.changed_on)
),

kept as (
    select
        from_area,
        from_area as to_area,
        changed_on,
        1 - sum(share) as share
    from shares
    group by from_area, changed_on
    having sum(share) < 1 - 1e-9 and not bool_or(to_area = from_area)
)

select from_area, to_area, changed_on, share from shares
union all
select from_area, to_area, changed_on, share from kept
