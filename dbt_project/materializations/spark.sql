{# On Spark a view is a table: what reads the results reads Parquet files, and a view has none. #}
{% materialization view, adapter='spark' -%}
    {{ return(materialization_table_spark()) }}
{%- endmaterialization %}

{# The columns of a contract. Spark has no VARCHAR without a length. #}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ 'string' if column.data_type | upper == 'VARCHAR' else column.data_type }}) as {{ adapter.quote(column.name) }}
        {{- ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
