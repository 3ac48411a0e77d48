-- grain: one row per cell of a mean with an interval, at the level at which the measures of its sample are observed
{{ config(materialized="view") }}
select
    i.indicator_key,
    n.area_key,
    n.period_key,
    n.breakdown_key,
    n.obs_value as n,
    sd.obs_value as sd
from {{ ref('stg_indicators') }} as i
inner join {{ ref('int_observations') }} as n on n.measure_key = i.interval_n_key
inner join {{ ref('int_observations') }} as sd
    on
        sd.measure_key = i.interval_sd_key
        and sd.area_key = n.area_key
        and sd.period_key = n.period_key
        and sd.breakdown_key = n.breakdown_key
where n.obs_value > 1 and sd.obs_value >= 0
