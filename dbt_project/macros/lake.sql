{#
  The files of one kind in the lake, as a relation. The manifest names them: the lake can hold files of other states, so this is not a glob.
  The call of source() gives the model its lineage.
#}
{% macro lake(kind) -%}
    {%- do source('lake', kind) -%}
    {%- if execute -%}
        {%- set paths = [] -%}
        {%- for row in run_query('select path from (' ~ manifest_files() ~ ") as f where kind = '" ~ kind ~ "'").rows -%}
            {%- do paths.append(home() ~ '/lake/' ~ row[0]) -%}
        {%- endfor -%}
        {{ parquet_files(paths) }}
    {%- else -%}
        (select 1)
    {%- endif -%}
{%- endmacro %}

{# All files of the current state of the lake: one row per kind and path. #}
{% macro lake_files() -%}
    {%- do source('lake', 'pack') -%}
    {%- if execute -%}
        {{ manifest_files() }}
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}

{# The workspace of the pack. #}
{% macro home() -%}
    {{ return(env_var('ZPO2_HOME', '../data/demo')) }}
{%- endmacro %}

{# The files that the manifest names: one row per kind and path. #}
{% macro manifest_files() -%}
    {{ return(adapter.dispatch('manifest_files')()) }}
{%- endmacro %}

{% macro default__manifest_files() -%}
    {%- set manifest = home() ~ '/manifests/current.json' -%}
    {%- if not is_file(manifest) -%}
        {{ exceptions.raise_compiler_error(
            home() ~ " holds no lake: run `zpo2 run` first, and set ZPO2_HOME to the folder that it writes to"
        ) }}
    {%- endif -%}
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

{% macro spark__manifest_files() -%}
    with kinds as (
        select explode(from_json(array_join(collect_list(value), ' '), 'files map<string, array<struct<path: string>>>').files) as (kind, of_kind)
        from text.`{{ home() }}/manifests/current.json`
    )

    select
        kind,
        explode(of_kind.path) as path
    from kinds
{%- endmacro %}

{# The rows of Parquet files in the workspace. #}
{% macro parquet_files(paths) -%}
    {{ return(adapter.dispatch('parquet_files')(paths)) }}
{%- endmacro %}

{% macro default__parquet_files(paths) -%}
    read_parquet(['{{ paths | join("', '") }}'])
{%- endmacro %}

{% macro spark__parquet_files(paths) -%}
    {%- set names = (paths | join(',')).replace(home() ~ '/', '') -%}
    parquet.`{{ home() }}/{{ '{' ~ names ~ '}' if paths | length > 1 else names }}`
{%- endmacro %}

{# Whether there is a file. #}
{% macro is_file(path) -%}
    {{ return(adapter.dispatch('is_file')(path)) }}
{%- endmacro %}

{% macro default__is_file(path) -%}
    {{ return(run_query("select file from glob('" ~ path ~ "')").rows | length > 0) }}
{%- endmacro %}

{# Spark refuses a path without any file, so this asks for another one, too, which always exists. It does not see empty files. #}
{% macro spark__is_file(path) -%}
    {%- set name = path.replace(home() ~ '/', '') -%}
    {{ return(run_query('select path from binaryFile.`' ~ home() ~ '/{manifests/current.json,' ~ name ~ '}`').rows | length > 1) }}
{%- endmacro %}
