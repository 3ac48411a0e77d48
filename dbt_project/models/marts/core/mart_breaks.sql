-- grain: one row per measure, first period after a break in its series, and source that declares the break
{%- set languages = pack_languages() %}
with readers as (
    select distinct
        t.measure_key,
        i.indicator
    from ({{ measures_of_terms() }}) as t
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = t.indicator_key
),

indicators_of_measures as (
    select
        measure_key,
        {{ joined_texts('indicator', ';') }} as indicators
    from readers
    group by measure_key
)

select
    b.measure,
    b.period,
    b.source,
    {% for language in languages -%}
    nullif({{ text_of('b.notes', language) }}, '') as note_{{ language | replace('-', '_') }},
    {% endfor -%}
    coalesce(m.indicators, '') as indicators
from {{ ref('stg_breaks') }} as b
left join indicators_of_measures as m on m.measure_key = b.measure_key
