-- a view: the table of a million rows is written once
{{ config(materialized="view") }}
-- grain: one statistic of an indicator over the areas of a level inside an area of a level above
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
