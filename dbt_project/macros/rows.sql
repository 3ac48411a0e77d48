{# A relation of one column with the given texts. #}
{% macro rows_of(column, texts) -%}
    {% for text in texts -%}
    select '{{ text }}' as {{ column }}
    {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
{%- endmacro %}

{# The texts of a group in their order, joined. #}
{% macro joined_texts(column, separator) -%}
    {{ return(adapter.dispatch('joined_texts')(column, separator)) }}
{%- endmacro %}

{% macro default__joined_texts(column, separator) -%}
    string_agg({{ column }}, '{{ separator }}' order by {{ column }})
{%- endmacro %}

{% macro spark__joined_texts(column, separator) -%}
    array_join(sort_array(collect_list({{ column }})), '{{ separator }}')
{%- endmacro %}

{# A text of a JSON object, by its key. #}
{% macro text_of(object, key) -%}
    {{ return(adapter.dispatch('text_of')(object, key)) }}
{%- endmacro %}

{% macro default__text_of(object, key) -%}
    {{ object }} ->> '{{ key }}'
{%- endmacro %}

{% macro spark__text_of(object, key) -%}
    get_json_object({{ object }}, "$['{{ key }}']")
{%- endmacro %}
