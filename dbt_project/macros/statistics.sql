{#
  A table of statistics, which `zpo2 run` computes in Python between two selections of models. Before the first run of a workspace it is empty.
  The call of source() gives the model its lineage.
#}
{% macro statistics(table) -%}
    {%- do source('statistics', table) -%}
    {%- if execute -%}
        {%- set file = home() ~ '/statistics/' ~ table ~ '.parquet' -%}
        {%- if is_file(file) -%}
            {{ parquet_files([file]) }}
        {%- else -%}
            {%- set columns = graph.sources['source.zpo2.statistics.' ~ table].columns.values() -%}
            (
                select {% for column in columns %}cast(null as {{ column.data_type }}) as {{ column.name }}{{ ', ' if not loop.last }}{% endfor %}
                where false
            )
        {%- endif -%}
    {%- else -%}
        (select 1)
    {%- endif -%}
{%- endmacro %}
