{# The built-in measures of every area, as branches of a case: its count and its surface. `a` is the row of stg_areas. #}
{% macro built_in_value(measure) -%}
    when {{ measure }} = 'areas' then 1.0
    when {{ measure }} = 'area_km2' then a.area_km2
{%- endmacro %}

{% macro built_in_rank(measure) -%}
    when {{ measure }} = 'areas' then {{ rank_of('A') }}
    when {{ measure }} = 'area_km2' then case when a.area_km2 is null then {{ rank_of('M') }} else {{ rank_of('A') }} end
{%- endmacro %}

{% macro is_built_in(measure) -%}
    {{ measure }} in ('areas', 'area_km2')
{%- endmacro %}
