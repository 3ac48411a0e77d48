{# The measures that an indicator reads, with the years that it looks back for them: one row per indicator, lag and measure. #}
{% macro measures_of_terms() -%}
    select indicator, lag, measure from {{ ref('stg_terms') }}
    union
    select indicator, lag, times as measure from {{ ref('stg_terms') }} where times is not null
{%- endmacro %}

{# The properties of a measure over all of its sources: one row per measure. #}
{% macro measure_properties() -%}
    select
        measure,
        bool_and(additive) as additive,
        max(weighted_by) as weighted_by,
        bool_or(is_counted) as is_counted
    from {{ ref('stg_measures') }}
    group by measure
{%- endmacro %}

{# The measures of sources that are down, with the period of the missing part; the period is null where it is unknown. #}
{% macro measures_of_sources_down() -%}
    select
        m.measure,
        d.time_period
    from {{ ref('stg_down') }} as d
    inner join {{ ref('stg_measures') }} as m on m.source = d.source
{%- endmacro %}
