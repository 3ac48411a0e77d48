-- The cell of the first source by file name is refused. The value of the next source that reports the cell is used, with this warning.
{{ config(meta={'gate': 'warn'}) }}
select
    o.measure_key,
    o.area_key,
    o.period_key,
    o.breakdown_key
from ({{ cells_of_shared_measures() }}) as o
group by o.measure_key, o.area_key, o.period_key, o.breakdown_key
having
    min(o.source_position) filter (where o.status_rank = {{ rank_of('Q') }})
    < min(o.source_position) filter (where o.status_rank <> {{ rank_of('Q') }})
