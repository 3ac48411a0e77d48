{#
  The files of one kind in the lake, as a relation. The manifest names them: the lake can hold files of other states, so this is not a glob.
  The call of source() gives the model its lineage.
#}
{% macro lake(kind) -%}
    {%- do source('lake', kind) -%}
    {%- if execute -%}
        {%- set home = env_var('ZPO2_HOME', '../data/demo') -%}
        {%- if not run_query("select file from glob('" ~ home ~ "/manifests/current.json')").rows -%}
            {{ exceptions.raise_compiler_error(
                home ~ " holds no lake: run `zpo2 run` first, and set ZPO2_HOME to the folder that it writes to"
            ) }}
        {%- endif -%}
        {%- set files = run_query(
            "select unnest(files['" ~ kind ~ "']).path as path from read_json('" ~ home ~ "/manifests/current.json', "
            ~ "columns = {files: 'MAP(VARCHAR, STRUCT(path VARCHAR)[])'})"
        ) -%}
        read_parquet([{% for row in files.rows %}'{{ home }}/lake/{{ row[0] }}'{{ ', ' if not loop.last }}{% endfor %}])
    {%- else -%}
        (select 1)
    {%- endif -%}
{%- endmacro %}

{# The files that the manifest names: one row per kind and path. #}
{% macro lake_files() -%}
    {%- do source('lake', 'pack') -%}
    {%- set manifest = env_var('ZPO2_HOME', '../data/demo') ~ '/manifests/current.json' if execute else '' -%}
    with kinds as (
        select
            unnest(map_keys(files)) as kind,
            unnest(map_values(files)) as of_kind
        from read_json('{{ manifest }}', columns = {files: 'MAP(VARCHAR, STRUCT(path VARCHAR)[])'})
    )

    select
        kind,
        unnest(of_kind).path as path
    from kinds
{%- endmacro %}
