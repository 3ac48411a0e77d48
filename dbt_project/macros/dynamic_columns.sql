{# Columns that depend on the declarations: the languages of the pack, and its indicators (key and name) in the order of declaration. #}
{% macro pack_languages() -%}
    {%- if execute -%}
        {{ return(run_query('select languages from ' ~ ref('stg_pack')).rows[0][0].split(',')) }}
    {%- endif -%}
    {%- do ref('stg_pack') -%}
    {{ return([]) }}
{%- endmacro %}

{% macro declared_indicators() -%}
    {%- if execute -%}
        {{ return(run_query('select indicator_key, indicator from ' ~ ref('stg_indicators') ~ ' order by position').rows) }}
    {%- endif -%}
    {%- do ref('stg_indicators') -%}
    {{ return([]) }}
{%- endmacro %}
