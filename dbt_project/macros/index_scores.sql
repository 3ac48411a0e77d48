{# The scores of indices and of their components. Scores of single indicators are in index_components. #}
{% macro index_scores(condition) -%}
{%- set digits = var('score_digits') -%}
with among_peers as (
    select
        s.index_id,
        s.node,
        s.time_period,
        s.ref_area,
        -- scores are rounded as for ranks
        100 * (
            count(*) filter (where round(o.score, {{ digits }}) < round(s.score, {{ digits }}))
            + cast(0.5 as double) * count(*) filter (where round(o.score, {{ digits }}) = round(s.score, {{ digits }}))
        ) / count(*) as peer_percentile
    from {{ ref('int_index_scores') }} as s
    inner join {{ ref('int_peers') }} as p on p.ref_area = s.ref_area
    inner join {{ ref('int_index_scores') }} as o
        on o.index_id = s.index_id and o.node = s.node and o.time_period = s.time_period and o.ref_area = p.peer
    where s.indicator is null and s.rank is not null and o.indicator is null and o.rank is not null
    group by s.index_id, s.node, s.time_period, s.ref_area
)

select
    s.index_id as index,
    s.node as component,
    s.ref_area,
    s.time_period,
    i.level,
    s.score,
    s.obs_status,
    s.rank,
    u.rank_low,
    u.rank_high,
    p.peer_percentile,
    s.n_available,
    s.n_expected,
    cast(ceil(cast(5 as double) * s.rank / count(s.rank) over (partition by s.index_id, s.node, s.time_period)) as bigint) as fifth,
    s.oldest_input,
    s.newest_input
from {{ ref('int_index_scores') }} as s
inner join {{ ref('stg_indices') }} as i on i.index_id = s.index_id
left join {{ ref('int_index_rank_intervals') }} as u
    on u.index_id = s.index_id and u.node = s.node and u.time_period = s.time_period and u.ref_area = s.ref_area
left join among_peers as p
    on p.index_id = s.index_id and p.node = s.node and p.time_period = s.time_period and p.ref_area = s.ref_area
where s.indicator is null and {{ condition }}
{%- endmacro %}
