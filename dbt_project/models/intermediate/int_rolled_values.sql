-- grain: one row per indicator, parent area, period, sex and age, summed over the areas of the finest level below it
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with rollable as (
    -- a measure that is not additive is not summed, unless it is weighted or multiplied by another measure; nor is one of a level
    -- above. Shares sum areas, not values
    select t.indicator_key
    from {{ ref('int_terms') }} as t
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = t.indicator_key
    left join ({{ measure_properties() }}) as m on m.measure_key = t.measure_key
    where {{ in_scope('t.indicator_key') }}
    group by t.indicator_key
    having
        bool_and(
            case
                when i.is_share or t.times_key is not null then true
                else t.at_position is null and (coalesce(m.additive, true) or i.weighted)
            end
        )
),

weights as (
    select
        i.indicator_key,
        i.weight_key,
        {{ scale_for('max(abs(w.weight))') }} as weight_scale
    from {{ ref('stg_indicators') }} as i
    left join {{ ref('int_area_weights') }} as w on w.weight_key = i.weight_key
    group by i.indicator_key, i.weight_key
),

-- each child once per ancestor, however many paths lead to it
children as (
    select
        d.indicator_key,
        t.ancestor_key as area_key,
        d.period_key,
        d.breakdown_key,
        d.numerator,
        d.denominator,
        d.base_numerator,
        d.base_denominator,
        d.status_rank,
        s.numerator_scale,
        s.denominator_scale,
        w.weight_scale,
        -- null if the area never has a weight
        case when w.weight_key is not null then aw.weight else 1 end as weight,
        {{ has_value('d.status_rank') }} as contributes
    from {{ ref('int_direct_values') }} as d
    inner join rollable as r on r.indicator_key = d.indicator_key
    inner join {{ ref('int_indicator_scales') }} as s on s.indicator_key = d.indicator_key
    inner join {{ ref('int_indicator_periods') }} as p on p.indicator_key = d.indicator_key and p.period_key = d.period_key
    inner join {{ ref('int_area_tree') }} as t
        on t.period_key = d.period_key and t.area_key = d.area_key and t.level_position = p.finest_position
    inner join {{ ref('int_indicator_levels') }} as il on il.indicator_key = d.indicator_key and il.level_position = t.ancestor_position
    inner join weights as w on w.indicator_key = d.indicator_key
    left join {{ ref('int_area_weights') }} as aw
        on aw.weight_key = w.weight_key and aw.period_key = d.period_key and aw.area_key = d.area_key
),

sums as (
    select
        indicator_key,
        area_key,
        period_key,
        breakdown_key,
        -- null if the numerator of a contributing area is no finite number
        case
            when count(*) filter (where contributes and numerator is null) = 0
                then {{ exact_sum('case when contributes then numerator * numerator_scale end', 'max(numerator_scale)') }}
        end as numerator,
        {{ exact_sum('case when contributes then denominator * denominator_scale end', 'max(denominator_scale)') }} as denominator,
        {{ exact_sum('case when contributes then base_numerator * numerator_scale end', 'max(numerator_scale)') }} as base_numerator,
        {{ exact_sum('case when contributes then base_denominator * denominator_scale end', 'max(denominator_scale)') }} as base_denominator,
        count(*) as children,
        count(*) filter (where contributes) as contributing,
        coalesce({{ exact_sum('weight * weight_scale', 'max(weight_scale)') }}, 0) as weight,
        coalesce({{ exact_sum('case when contributes then weight * weight_scale end', 'max(weight_scale)') }}, 0) as contributing_weight,
        -- a plain sum needs every area, except those whose weight is 0
        count(*) filter (where contributes or weight is null or weight <> 0) as needed,
        -- a missing area of unknown weight makes the coverage unknown
        bool_or(weight is null and not contributes) as lacks_unknown_weight,
        max(status_rank) filter (where contributes) as value_rank,
        min(status_rank) as lowest_rank,
        max(status_rank) as highest_rank
    from children
    group by indicator_key, area_key, period_key, breakdown_key
)

select
    s.indicator_key,
    s.area_key,
    s.period_key,
    s.breakdown_key,
    s.numerator,
    s.denominator,
    s.base_numerator,
    s.base_denominator,
    s.children,
    s.contributing,
    case
        when s.contributing = 0 then cast(0 as double)
        when i.has_denominator and s.lacks_unknown_weight then null
        -- if all weights are 0, every area counts once
        when s.weight <= 0 then s.contributing / s.children
        when i.has_denominator then s.contributing_weight / s.weight
        else s.contributing / s.needed
    end as coverage,
    s.value_rank,
    s.lowest_rank,
    s.highest_rank
from sums as s
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = s.indicator_key
