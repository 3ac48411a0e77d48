-- Several sources report different values for a cell. The first source by file name is used, with this warning.
{{ config(meta={'gate': 'warn'}) }}
select
    o.measure_key,
    o.area_key,
    o.period_key,
    o.breakdown_key
from ({{ cells_of_shared_measures() }}) as o
where o.obs_value is not null
group by o.measure_key, o.area_key, o.period_key, o.breakdown_key
having count(*) > 1 and min(o.obs_value) <> max(o.obs_value)
