-- grain: one row per published cell: indicator, area, period, sex and age; values are not rounded
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
select
    c.indicator_key,
    c.area_key,
    c.level_position,
    c.period_key,
    c.breakdown_key,
    case when s.indicator_key is null then c.obs_value end as obs_value,
    case when s.indicator_key is null then c.obs_status else 'C' end as obs_status,
    case when s.indicator_key is null then c.numerator end as numerator,
    case when s.indicator_key is null then c.denominator end as denominator,
    c.coverage
from {{ ref('int_computed_cells') }} as c
left join {{ ref('int_suppressed_cells') }} as s on {{ is_same_cell('s', 'c') }}
where {{ in_scope('c.indicator_key') }}
