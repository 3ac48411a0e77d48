-- grain: one row per indicator, area above, level of the areas compared, level of a decomposition, period, sex and statistic
-- a view, so that its million rows are stored once
{{ config(materialized="view") }}
select
    indicator,
    within,
    of_level,
    by_level,
    time_period,
    sex,
    statistic,
    obs_value,
    obs_status,
    n,
    coverage
from {{ ref('int_dispersion') }}
