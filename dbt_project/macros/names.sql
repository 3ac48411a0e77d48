{# Schemas have the declared names, without the prefix of the target. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name if custom_schema_name is not none else target.schema }}
{%- endmacro %}

{# A mart is published under its name without the prefix: mart_areas -> areas. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%} {{ custom_alias_name | trim }}
    {%- elif node.name.startswith('mart_') -%} {{ node.name[5:] }}
    {%- else -%} {{ node.name }}
    {%- endif -%}
{%- endmacro %}
