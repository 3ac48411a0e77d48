-- Every value of an indicator is 0, although the one measure in its numerator is not. All changes and differences can be 0.
with zero_indicators as (
    select indicator_key
    from {{ ref('int_indicator_cells') }}
    where obs_value is not null
    group by indicator_key
    having max(abs(obs_value)) = 0
),

measures as (
    select
        t.indicator_key,
        max(t.measure_key) as measure_key
    from {{ ref('int_terms') }} as t
    where t.is_numerator
    group by t.indicator_key
    having count(*) = 1 and max(t.times_key) is null and max(t.sex_code) is null and max(t.age_code) is null
)

select distinct i.indicator
from zero_indicators as z
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = z.indicator_key
inner join measures as m on m.indicator_key = z.indicator_key
inner join {{ ref('int_observations') }} as o on o.measure_key = m.measure_key and o.obs_value <> 0
where not i.is_change and i.difference_to is null and not i.is_share
