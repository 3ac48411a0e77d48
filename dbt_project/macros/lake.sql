{#
  The files of one kind in the manifest's state of the lake, as a relation. Never a glob: a file that no manifest names does not exist.
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
        {%- set found = run_query(
            "select unnest(files['" ~ kind ~ "']).path as path from read_json('" ~ home ~ "/manifests/current.json', "
            ~ "columns = {files: 'MAP(VARCHAR, STRUCT(path VARCHAR)[])'})"
        ) -%}
        read_parquet([{% for row in found.rows %}'{{ home }}/lake/{{ row[0] }}'{{ ', ' if not loop.last }}{% endfor %}])
    {%- else -%}
        (select 1)
    {%- endif -%}
{%- endmacro %}
