{# A table of statistics, which `zpo2 run` computes in Python between two selections of models. #}
{% macro statistics(table) -%}
    {%- do source('statistics', table) -%}
    {{ computed_table('statistics', table) }}
{%- endmacro %}

{# The table of the cells to suppress, which `zpo2 run` computes in Python before the published cells are built. #}
{% macro suppression(table) -%}
    {%- do source('suppression', table) -%}
    {{ computed_table('suppression', table) }}
{%- endmacro %}

{#
  A table that Python computes from the warehouse, by the folder of the workspace that holds its file. Before the first run of a workspace it
  is empty. The call of source() in the macros above gives the model its lineage.
#}
{% macro computed_table(folder, table) -%}
    {%- if execute -%}
        {%- set file = home() ~ '/' ~ folder ~ '/' ~ table ~ '.parquet' -%}
        {%- if is_file(file) -%}
            {{ parquet_files([file]) }}
        {%- else -%}
            {%- set columns = graph.sources['source.zpo2.' ~ folder ~ '.' ~ table].columns.values() -%}
            (
                select {% for column in columns %}cast(null as {{ column.data_type }}) as {{ column.name }}{{ ', ' if not loop.last }}{% endfor %}
                where false
            )
        {%- endif -%}
    {%- else -%}
        (select 1)
    {%- endif -%}
{%- endmacro %}
