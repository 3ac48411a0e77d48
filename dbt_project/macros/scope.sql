{#
  Work in proportion to change. A big model keeps its rows from run to run. A run computes again only the rows of the indicators, or of the
  measures, that are in scope: those with an input that differs from the last run (pipelines/warehouse/scope.py). Such a model has the
  materialization `incremental`; its hook deletes the rows in scope and those of what is no longer declared, and its query gives the rows
  in scope.
#}
{% macro in_scope(key, of='indicator') -%}
    {{ key }} in (select {{ of }}_key from {{ ref('int_' ~ of ~ '_scope') }} where in_scope)
{%- endmacro %}

{% macro delete_scope(of='indicator', column=none) -%}
    {{ return(adapter.dispatch('delete_scope')(of, column or of ~ '_key')) }}
{%- endmacro %}

{% macro default__delete_scope(of, column) -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where {{ column }} not in (select {{ column }} from {{ ref('int_' ~ of ~ '_scope') }} where not in_scope)
    {%- endif -%}
{%- endmacro %}

{# Spark cannot delete rows of Parquet tables: the rows that stay are a view, which the materialization adds to those in scope. #}
{% macro spark__delete_scope(of, column) -%}
    {%- if has_kept_rows() -%}
    create or replace temporary view {{ kept_rows() }} as
    select *
    from parquet.`{{ kept_table() }}`
    where {{ column }} in (select {{ column }} from {{ ref('int_' ~ of ~ '_scope') }} where not in_scope)
    {%- endif -%}
{%- endmacro %}

{# The table of the last run; `zpo2 run` sets it aside (pipelines/warehouse/spark_tables.py). #}
{% macro kept_table() -%}
    {{ return(home() ~ '/spark/kept/' ~ this.schema ~ '.db/' ~ this.identifier) }}
{%- endmacro %}

{% macro kept_rows() -%}
    {{ return('kept_' ~ this.identifier) }}
{%- endmacro %}

{% macro has_kept_rows() -%}
    {{ return(execute and is_file(home() ~ '/spark/kept/complete')) }}
{%- endmacro %}

{# The names of the indicators or measures whose rows are valid; `zpo2 run` lists them. Without such a list, everything is in scope. #}
{% macro unchanged(kind) -%}
    {%- set file = env_var('ZPO2_UNCHANGED', '') if execute else '' -%}
    {%- if file -%}
        (select name from {{ parquet_files([file]) }} where kind = '{{ kind }}')
    {%- else -%}
        (select cast(null as string) as name where false)
    {%- endif -%}
{%- endmacro %}

{# dbt without `zpo2 run` keeps no record of what its rows were made from, so the keys of earlier runs are no longer true. #}
{% macro forget_keys() -%}
    {%- if execute and not env_var('ZPO2_UNCHANGED', '') -%}
    drop table if exists {{ target.schema }}.valid_keys
    {%- endif -%}
{%- endmacro %}
