-- The cell of the first source by file name is refused. The value of the next source that reports the cell is used, with this warning.
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
group by o.measure_key, o.area_key, o.period_key, o.breakdown_key
having
    min(o.source_position) filter (where o.status_rank = {{ rank_of('Q') }})
    < min(o.source_position) filter (where o.status_rank <> {{ rank_of('Q') }})
