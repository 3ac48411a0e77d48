-- grain: one row per measure, area, period, sex and age, over all sources, restated to the current areas
-- a view: few areas come from others, and the values of all the rest are stored once, as reported
{{ config(materialized="view") }}
with changed_areas as (
    select distinct period_key, origin_key
    from {{ ref('int_area_origins') }}
)

select o.measure_key, o.area_key, o.period_key, o.breakdown_key, o.source_position, o.obs_value, o.status_rank
from {{ ref('int_reported_observations') }} as o
left join changed_areas as c on c.period_key = o.period_key and c.origin_key = o.area_key
where c.origin_key is null
union all
select measure_key, area_key, period_key, breakdown_key, source_position, obs_value, status_rank
from {{ ref('int_restated_observations') }}
