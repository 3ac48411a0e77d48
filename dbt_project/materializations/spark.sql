{# On Spark a view is a table: what reads the results reads Parquet files, and a view has none. #}
{% materialization view, adapter='spark' -%}
    {{ return(materialization_table_spark()) }}
{%- endmaterialization %}

{# The rows that stay and the rows in scope, as a new table: see delete_scope. #}
{% materialization incremental, adapter='spark' -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% do adapter.drop_relation(target) %}
    {% call statement('main') -%}
        {%- if has_kept_rows() -%}
            {{ create_table_as(False, target, 'select * from ' ~ kept_rows() ~ ' union all select * from (' ~ compiled_code ~ ')') }}
        {%- else -%}
            {{ create_table_as(False, target, compiled_code) }}
        {%- endif -%}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}

{# The columns of a contract. Spark has no VARCHAR without a length. #}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ 'string' if column.data_type | upper == 'VARCHAR' else column.data_type }}) as {{ adapter.quote(column.name) }}
        {{- ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
