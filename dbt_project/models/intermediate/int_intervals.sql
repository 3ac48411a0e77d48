-- grain: one row per published cell of an indicator with intervals; null bounds where the interval is not defined
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
select
    c.indicator_key,
    c.area_key,
    c.level_position,
    c.period_key,
    c.breakdown_key,
    {{ interval_bound('lower', '95') }} as lower_95,
    {{ interval_bound('upper', '95') }} as upper_95,
    {{ interval_bound('lower', '998') }} as lower_998,
    {{ interval_bound('upper', '998') }} as upper_998
from {{ ref('int_indicator_cells') }} as c
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
left join {{ ref('int_poisson_limits') }} as l on i.interval_kind = 'rate' and l.events = c.numerator
left join {{ ref('int_samples') }} as s on {{ is_same_cell('s', 'c') }}
left join {{ ref('int_student_quantiles') }} as t on t.n = s.n
where i.interval_kind is not null and {{ in_scope('c.indicator_key') }}
