-- grain: one row per product of two measures in a formula, area that came from others, period, sex and age
-- The product is taken in each area of the period and then summed by share, as its parts are: a share of inhabitants stays a share.
with products as (
    select distinct
        measure_key,
        times_key,
        built_in,
        times_built_in
    from {{ ref('int_terms') }}
    where times_key is not null and at_position is null and (built_in is null or times_built_in is null)
),

measures as (
    {{ measure_properties() }}
),

-- a product has a cell if each of its measures has one in any of the former areas
cells as (
    select
        p.measure_key,
        p.times_key,
        p.built_in,
        p.times_built_in,
        r.area_key,
        r.period_key,
        r.breakdown_key
    from products as p
    inner join {{ ref('int_restated_observations') }} as r
        on r.measure_key = case when p.built_in is null then p.measure_key else p.times_key end
    left join {{ ref('int_restated_observations') }} as t
        on
            p.built_in is null
            and p.times_built_in is null
            and t.measure_key = p.times_key
            and t.area_key = r.area_key
            and t.period_key = r.period_key
            and t.breakdown_key = r.breakdown_key
    where p.built_in is not null or p.times_built_in is not null or t.measure_key is not null
),

-- an area without counted rows has none; any other measure is missing there
parts as (
    select
        c.*,
        {{ share_of_origin('o', 'coalesce(m.divisible, true) and coalesce(n.divisible, true)') }} as share,
        f.area_km2,
        coalesce('area_km2' in (c.built_in, c.times_built_in), false) as by_surface,
        {{ value_at_origin('x', 'c.built_in', 'm') }} * {{ value_at_origin('y', 'c.times_built_in', 'n') }} as amount,
        greatest(
            {{ rank_at_origin('x', 'c.built_in', 'm') }},
            {{ rank_at_origin('y', 'c.times_built_in', 'n') }},
            {{ rank_if(share_of_origin('o', 'coalesce(m.divisible, true) and coalesce(n.divisible, true)') ~ ' is null', 'O') }}
        ) as status_rank
    from cells as c
    inner join {{ ref('int_area_origins') }} as o on o.area_key = c.area_key and o.period_key = c.period_key
    inner join {{ ref('dim_area') }} as f on f.area_key = o.origin_key
    left join measures as m on m.measure_key = c.measure_key
    left join measures as n on n.measure_key = c.times_key
    left join {{ ref('int_reported_observations') }} as x
        on
            x.measure_key = c.measure_key
            and x.area_key = o.origin_key
            and x.period_key = c.period_key
            and x.breakdown_key = c.breakdown_key
    left join {{ ref('int_reported_observations') }} as y
        on
            y.measure_key = c.times_key
            and y.area_key = o.origin_key
            and y.period_key = c.period_key
            and y.breakdown_key = c.breakdown_key
),

scales as (
    select
        measure_key,
        times_key,
        {{ scale_for('max(abs(amount) * greatest(coalesce(area_km2, 1), 1))') }} as scale,
        {{ scale_for('max(area_km2)') }} as surface_scale
    from parts
    group by measure_key, times_key
),

-- the part of a former area in a mean over surfaces; if all shares are 0, every area counts once, as in other means
surface_parts as (
    select
        *,
        case
            when max(share) over (partition by measure_key, times_key, area_key, period_key, breakdown_key) > 0 then share
            else cast(1 as double)
        end as surface_share
    from parts
),

-- the surface is that of today: it multiplies the mean over the surfaces of the former areas, which a single one does not need
sums as (
    select
        p.measure_key,
        p.times_key,
        p.area_key,
        p.period_key,
        p.breakdown_key,
        bool_or(p.by_surface) as by_surface,
        count(*) filter (where p.surface_share > 0) as n_origins,
        count(p.area_km2) filter (where p.surface_share > 0) as n_surfaces,
        max(p.amount) filter (where p.surface_share > 0) as only_amount,
        {{ exact_sum('p.share * p.amount * s.scale', 'max(s.scale)') }} as amount,
        {{ exact_sum('case when p.surface_share > 0 then p.surface_share * p.amount * p.area_km2 * s.scale end', 'max(s.scale)') }}
        / nullif(
            {{ exact_sum('case when p.surface_share > 0 then p.surface_share * p.area_km2 * s.surface_scale end', 'max(s.surface_scale)') }}, 0
        ) as mean_amount,
        max(p.status_rank) as status_rank
    from surface_parts as p
    inner join scales as s on s.measure_key = p.measure_key and s.times_key = p.times_key
    group by p.measure_key, p.times_key, p.area_key, p.period_key, p.breakdown_key
),

restated as (
    select
        s.measure_key,
        s.times_key,
        s.area_key,
        s.period_key,
        s.breakdown_key,
        s.status_rank,
        case
            when {{ lacks_value('s.status_rank') }} then null
            when not s.by_surface then s.amount
            when s.n_origins = 1 then a.area_km2 * s.only_amount
            when s.n_surfaces = s.n_origins then a.area_km2 * s.mean_amount
        end as obs_value
    from sums as s
    inner join {{ ref('dim_area') }} as a on a.area_key = s.area_key
)

select
    measure_key,
    times_key,
    area_key,
    period_key,
    breakdown_key,
    obs_value,
    cast(
        case
            when {{ lacks_value('status_rank') }} then status_rank
            when obs_value is null then {{ rank_of('M') }}
            else greatest(status_rank, {{ rank_of('E') }})
        end as smallint
    ) as status_rank
from restated
