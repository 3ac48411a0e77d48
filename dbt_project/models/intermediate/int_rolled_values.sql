-- grain: one row per indicator, parent area, period, sex and age, summed over the areas of the finest level below it
with rollable as (
    -- a measure that is not additive is not summed, unless it is weighted or multiplied by another measure
    select t.indicator
    from {{ ref('stg_terms') }} as t
    inner join {{ ref('stg_indicators') }} as i on i.indicator = t.indicator
    left join ({{ measure_properties() }}) as m on m.measure = t.measure
    group by t.indicator
    having bool_and(coalesce(m.additive, true) or i.weighted or t.times is not null)
),

-- each child once per ancestor, however many paths lead to it
children as (
    select
        d.indicator,
        t.ancestor as ref_area,
        t.ancestor_level as level,
        d.time_period,
        d.sex,
        d.age,
        d.ref_area as child,
        d.numerator,
        d.denominator,
        d.base_numerator,
        d.base_denominator,
        d.status_rank,
        -- null if the area never has a weight
        case when w.has_weight then aw.weight else 1.0 end as weight,
        {{ has_value('d.status_rank') }} as contributes
    from {{ ref('int_direct_values') }} as d
    inner join {{ ref('int_indicator_periods') }} as p
        on {{ is_at_finest_level('p', 'd') }}
    inner join rollable as r on r.indicator = d.indicator
    inner join {{ ref('int_area_tree') }} as t on t.time_period = d.time_period and t.ref_area = d.ref_area
    inner join {{ ref('stg_indicator_levels') }} as il on il.indicator = d.indicator and il.level = t.ancestor_level
    cross join (select count(*) > 0 as has_weight from {{ ref('int_area_weights') }}) as w
    left join {{ ref('int_area_weights') }} as aw on aw.time_period = d.time_period and aw.ref_area = d.ref_area
),

sums as (
    select
        indicator,
        ref_area,
        level,
        time_period,
        sex,
        age,
        sum(numerator) filter (where contributes) as numerator,
        sum(denominator) filter (where contributes) as denominator,
        sum(base_numerator) filter (where contributes) as base_numerator,
        sum(base_denominator) filter (where contributes) as base_denominator,
        count(*) as children,
        count(*) filter (where contributes) as contributing,
        coalesce(sum(weight), 0.0) as weight,
        coalesce(sum(weight) filter (where contributes), 0.0) as contributing_weight,
        -- a plain sum needs every area, except those whose weight is 0
        count(*) filter (where contributes or weight is null or weight <> 0) as needed,
        -- a missing area of unknown weight makes the coverage unknown
        bool_or(weight is null and not contributes) as lacks_unknown_weight,
        max(status_rank) filter (where contributes) as value_rank,
        min(status_rank) as lowest_rank,
        max(status_rank) as highest_rank
    from children
    group by indicator, ref_area, level, time_period, sex, age
)

select
    s.indicator,
    s.ref_area,
    s.level,
    s.time_period,
    s.sex,
    s.age,
    s.numerator,
    s.denominator,
    s.base_numerator,
    s.base_denominator,
    s.children,
    s.contributing,
    case
        when s.contributing = 0 then 0.0
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
inner join {{ ref('stg_indicators') }} as i on i.indicator = s.indicator
