-- grain: one row per period, current area that came from others, and area of the period that it came from
with origins as (
    select
        v.period_key,
        s.area_key,
        v.area_key as origin_key,
        s.share,
        count(*) over (partition by v.period_key, v.area_key) > 1 as is_divided
    from {{ ref('int_own_validity') }} as v
    inner join {{ ref('int_area_successions') }} as s
        on s.origin_key = v.area_key and {{ succession_holds_on('s', 'v.first_day') }}
),

receivers as (
    select distinct period_key, area_key from origins
),

givers as (
    select distinct period_key, origin_key from origins
)

select period_key, area_key, origin_key, share, is_divided from origins
union all
-- an area that existed already is one of its own origins
select
    v.period_key,
    v.area_key,
    v.area_key as origin_key,
    cast(1 as double) as share,
    false as is_divided
from {{ ref('int_own_validity') }} as v
inner join receivers as r on r.period_key = v.period_key and r.area_key = v.area_key
left join givers as g on g.period_key = v.period_key and g.origin_key = v.area_key
where g.origin_key is null
