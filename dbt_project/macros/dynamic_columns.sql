{# Columns that depend on the pack: its languages, and the indicators that have a value (key and name) in the order of declaration. #}
{% macro pack_languages() -%}
    {%- if execute -%}
        {{ return(run_query('select languages from ' ~ ref('stg_pack')).rows[0][0].split(',')) }}
    {%- endif -%}
    {%- do ref('stg_pack') -%}
    {{ return([]) }}
{%- endmacro %}

{% macro indicators_with_values() -%}
    {%- if execute -%}
        {{ return(run_query(
            'select indicator_key, indicator from ' ~ ref('stg_indicators') ~ ' where indicator_key in (select indicator_key from '
            ~ ref('int_indicators_with_values') ~ ') order by position'
        ).rows) }}
    {%- endif -%}
    {%- do ref('stg_indicators') -%}
    {%- do ref('int_indicators_with_values') -%}
    {{ return([]) }}
{%- endmacro %}
