-- grain: one row per indicator, area, period and sex with a published value, and its weight in the weighted statistics
select
    c.indicator,
    c.ref_area,
    c.time_period,
    c.sex,
    c.obs_value,
    c.obs_status,
    -- ratios weigh by their own denominator; changes and plain numbers weigh by the pack's weight, if it declares one
    case when i.has_denominator and i.change_kind is null then c.denominator else w.weight end as weight,
    (i.has_denominator and i.change_kind is null) or k.has_weight as weighted
from {{ ref('int_indicator_cells') }} as c
inner join {{ ref('stg_indicators') }} as i on i.indicator = c.indicator
cross join (select count(weight) > 0 as has_weight from {{ ref('int_area_weights') }}) as k
left join {{ ref('int_area_weights') }} as w on w.time_period = c.time_period and w.ref_area = c.ref_area
where c.obs_value is not null and c.age = '_T'
