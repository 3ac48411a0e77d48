-- grain: one row per value that a part of a source reports for a measure, area, period, sex and age; plain measures can repeat a cell
-- a view: the files of the lake are read where they are
{{ config(materialized="view") }}
select
    source,
    part,
    measure,
    ref_area,
    time_period,
    sex,
    age,
    obs_value,
    obs_status,
    aggregate,
    by_sex,
    row_number,
    row_count,
    snapshot,
    note
from {{ lake('observations') }}
where measure is not null
