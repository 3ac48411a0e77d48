-- Several sources report different values for a cell. The first source by file name is used, with this warning.
{{ config(meta={'gate': 'warn'}) }}
with measures as (
    {{ measure_properties() }}
)

select
    o.measure_key,
    o.area_key,
    o.period_key,
    o.breakdown_key
from {{ ref('int_source_observations') }} as o
inner join measures as m on m.measure_key = o.measure_key and m.n_sources > 1
where o.obs_value is not null
group by o.measure_key, o.area_key, o.period_key, o.breakdown_key
having count(*) > 1 and min(o.obs_value) <> max(o.obs_value)
