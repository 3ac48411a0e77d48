-- grain: one row per measure, area, period, sex and age of the areas that came from others, restated from the areas of the period
{{ config(materialized="incremental", pre_hook="{{ delete_scope('measure') }}") }}
with measures as (
    select *
    from ({{ measure_properties() }}) as p
    where {{ in_scope('p.measure_key', 'measure') }}
),

-- a current area has a cell if any of its origins has one
restated_cells as (
    select distinct
        o.measure_key,
        a.area_key,
        o.period_key,
        o.breakdown_key
    from {{ ref('int_area_origins') }} as a
    inner join {{ ref('int_reported_observations') }} as o on o.area_key = a.origin_key and o.period_key = a.period_key
    where {{ in_scope('o.measure_key', 'measure') }}
),

parts as (
    select
        w.measure_key,
        w.area_key,
        w.period_key,
        w.breakdown_key,
        {{ share_of_origin('a', 'm.divisible') }} as share,
        m.additive,
        m.weighted_by_key,
        o.source_position,
        o.obs_value,
        weight.obs_value as weight,
        -- an origin without counted rows adds nothing; for any other measure its part is missing
        case
            when {{ share_of_origin('a', 'm.divisible') }} is null then {{ rank_of('O') }}
            when o.measure_key is null and m.is_counted then {{ no_rank() }}
            when o.measure_key is null then {{ rank_of('O') }}
            when not m.additive and m.weighted_by_key is not null and {{ has_value('o.status_rank') }}
                then greatest(o.status_rank, coalesce(weight.status_rank, {{ rank_of('O') }}))
            else o.status_rank
        end as status_rank
    from restated_cells as w
    inner join measures as m on m.measure_key = w.measure_key
    inner join {{ ref('int_area_origins') }} as a on a.area_key = w.area_key and a.period_key = w.period_key
    left join {{ ref('int_reported_observations') }} as o
        on
            o.measure_key = w.measure_key
            and o.area_key = a.origin_key
            and o.period_key = w.period_key
            and o.breakdown_key = w.breakdown_key
    left join {{ ref('int_reported_observations') }} as weight
        on
            weight.measure_key = m.weighted_by_key
            and weight.area_key = a.origin_key
            and weight.period_key = w.period_key
            and weight.breakdown_key = w.breakdown_key
),

scales as (
    select
        measure_key,
        {{ scale_for('max(abs(obs_value) * greatest(coalesce(abs(weight), 1), 1))') }} as scale,
        {{ scale_for('max(abs(weight))') }} as weight_scale
    from parts
    group by measure_key
),

restated as (
    select
        p.measure_key,
        p.area_key,
        p.period_key,
        p.breakdown_key,
        min(p.source_position) as source_position,
        case
            when {{ lacks_value('max(p.status_rank)') }} then null
            when bool_and(p.additive) then {{ exact_sum('p.share * p.obs_value * s.scale', 'max(s.scale)') }}
            when max(p.weighted_by_key) is not null
                then
                    -- if all weights or all shares are 0, every area counts once; the indicator of such a mean is not defined
                    coalesce(
                        {{ exact_sum('p.share * p.weight * p.obs_value * s.scale', 'max(s.scale)') }}
                        / nullif({{ exact_sum('p.share * p.weight * s.weight_scale', 'max(s.weight_scale)') }}, 0),
                        {{ exact_sum('p.obs_value * s.scale', 'max(s.scale)') }} / count(*)
                    )
            -- a value that can be neither summed nor averaged is restated only from a single origin
            when count(*) = 1 then max(p.obs_value)
        end as obs_value,
        max(p.status_rank) as status_rank
    from parts as p
    inner join scales as s on s.measure_key = p.measure_key
    group by p.measure_key, p.area_key, p.period_key, p.breakdown_key
)

select
    measure_key,
    area_key,
    period_key,
    breakdown_key,
    source_position,
    obs_value,
    cast(
        case
            when {{ lacks_value('status_rank') }} then status_rank
            when obs_value is null then {{ rank_of('O') }}
            else greatest(status_rank, {{ rank_of('E') }})
        end as smallint
    ) as status_rank
from restated
