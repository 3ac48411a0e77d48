-- grain: one row per declared indicator
{%- set languages = pack_languages() %}
select
    indicator,
{%- for language in languages %}
    titles ->> '{{ language }}' as title_{{ language | replace('-', '_') }},
{%- endfor %}
{%- for language in languages %}
    nullif(descriptions ->> '{{ language }}', '') as description_{{ language | replace('-', '_') }},
{%- endfor %}
    objective,
    measure,
    field,
    unit,
    direction,
    target_value,
    decimals,
    formula,
    sdg,
    sources,
    coalesce(collected, 'false') as collected,
    needed
from (
    select
        i.indicator,
        i.titles,
        i.descriptions,
        i.objective,
        cast(i.measure as varchar) as measure,
        i.field,
        i.unit,
        i.direction,
        i.target_value,
        i.decimals,
        i.formula,
        i.sdg,
        i.sources,
        case when c.indicator is not null then 'true' end as collected,
        i.needed
    from {{ ref('stg_indicators') }} as i
    left join (select distinct indicator from {{ ref('int_indicator_cells') }} where obs_value is not null) as c
        on c.indicator = i.indicator
)
