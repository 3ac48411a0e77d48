-- grain: one row per declared index
{%- set languages = pack_languages() %}
with statistics as (
    select
        index_id,
        max(case when statistic = 'cronbach_alpha' then obs_value end) as alpha,
        max(case when statistic = 'rank_interval_share' then obs_value end) as rank_interval_share
    from {{ ref('int_index_sensitivity') }}
    where component = index_id
    group by index_id
)

select
    i.index_id as index,
    {% for language in languages -%}
    {{ text_of('i.titles', language) }} as title_{{ language | replace('-', '_') }},
    {% endfor -%}
    i.objective,
    i.level,
    s.alpha,
    s.rank_interval_share,
    case when {{ is_rankable() }} then 'true' else 'false' end as rankable
{%- for language in languages %},
    concat({{ index_note(language) }}, case when {{ text_of('i.notes', language) }} <> '' then concat(' ', {{ text_of('i.notes', language) }}) else '' end) as note_{{ language | replace('-', '_') }}
{%- endfor %}
from {{ ref('stg_indices') }} as i
left join statistics as s on s.index_id = i.index_id
