-- grain: one row per indicator with dispersion, area, period and sex with a published value, and its weight in the weighted statistics
{{ config(materialized="view") }}
with weights as (
    select weight_key
    from {{ ref('int_area_weights') }}
    group by weight_key
    having count(weight) > 0
)

select
    c.indicator_key,
    c.area_key,
    c.level_position,
    c.period_key,
    c.breakdown_key,
    c.obs_value,
    {{ status_rank('c.obs_status') }} as status_rank,
    -- ratios weigh by their own denominator; changes and plain numbers weigh by the indicator's weight, if it has one
    case when i.has_denominator and i.change_kind is null then c.denominator else w.weight end as weight,
    (i.has_denominator and i.change_kind is null) or k.weight_key is not null as weighted,
    {{ chance_factor() }} as chance_factor
from {{ ref('int_indicator_cells') }} as c
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
left join weights as k on k.weight_key = i.weight_key
left join {{ ref('int_area_weights') }} as w on w.weight_key = i.weight_key and w.period_key = c.period_key and w.area_key = c.area_key
left join {{ ref('int_samples') }} as s on {{ is_same_cell('s', 'c') }}
where i.dispersion and c.obs_value is not null and {{ is_all_ages('c.breakdown_key') }}
