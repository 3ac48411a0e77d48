-- Several sources report different values for a cell. The first source by file name is used, with this warning.
{{ config(meta={'gate': 'warn'}) }}
select
    measure,
    ref_area,
    time_period,
    sex,
    age
from {{ ref('int_source_observations') }}
where obs_value is not null
group by measure, ref_area, time_period, sex, age
having count(*) > 1 and min(obs_value) <> max(obs_value)
