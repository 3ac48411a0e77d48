-- grain: one row per declared note on values
{%- set languages = pack_languages() %}
select
    n.note,
    {% for language in languages -%}
    nullif({{ text_of('n.texts', language) }}, '') as text_{{ language | replace('-', '_') }},
    {% endfor -%}
    n.source
from {{ ref('stg_notes') }} as n
