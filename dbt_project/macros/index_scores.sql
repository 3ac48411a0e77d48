{# The scores of the components of indices and of the indices themselves; their indicators have none. #}
{% macro index_scores(condition) -%}
select
    s.index_id as "index",
    s.node as component,
    s.ref_area,
    s.time_period,
    i.level,
    s.score,
    s.obs_status,
    s.rank,
    cast(null as bigint) as rank_low,
    cast(null as bigint) as rank_high,
    cast(null as double) as peer_percentile,
    s.n_available,
    s.n_expected
from {{ ref('int_index_scores') }} as s
inner join {{ ref('stg_indices') }} as i on i.index_id = s.index_id
where s.indicator is null and {{ condition }}
{%- endmacro %}
