-- grain: one row per declared indicator
{%- set languages = pack_languages() %}
select
    i.indicator,
    {% for language in languages -%}
    {{ text_of('i.titles', language) }} as title_{{ language | replace('-', '_') }},
    {% endfor -%}
    {% for language in languages -%}
    nullif({{ text_of('i.descriptions', language) }}, '') as description_{{ language | replace('-', '_') }},
    {% endfor -%}
    i.objective,
    cast(i.measure as string) as measure,
    i.field,
    i.unit,
    i.direction,
    i.target_value,
    i.decimals,
    i.formula,
    i.sdg,
    i.sources,
    case when c.indicator_key is not null then 'true' else 'false' end as collected,
    i.needed,
    {% for language in languages -%}
    nullif({{ text_of('i.units', language) }}, '') as unit_{{ language | replace('-', '_') }},
    nullif({{ text_of('i.needs', language) }}, '') as needed_{{ language | replace('-', '_') }},
    nullif({{ text_of('i.suppliers', language) }}, '') as supplier_{{ language | replace('-', '_') }},
    {% endfor -%}
    i.display,
    case when i.depends_on_size then 'true' else 'false' end as depends_on_size
from {{ ref('stg_indicators') }} as i
left join {{ ref('int_indicators_with_values') }} as c on c.indicator_key = i.indicator_key
