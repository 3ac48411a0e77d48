{#
  The built-in measures of every area, as branches of a case: its count and its surface. `a` is the row of dim_area. Before a change of areas the
  count is that of the former areas, by share (`f`), as measures are restated; it is null for an area that came from no other.
#}
{% macro built_in_value(measure, former_areas) -%}
    when {{ measure }} = 'areas' then coalesce({{ former_areas }}, 1.0)
    when {{ measure }} = 'area_km2' then a.area_km2
{%- endmacro %}

{% macro built_in_rank(measure, former_areas) -%}
    when {{ measure }} = 'areas' then case when {{ former_areas }} is null then {{ rank_of('A') }} else {{ rank_of('E') }} end
    when {{ measure }} = 'area_km2' then case when a.area_km2 is null then {{ rank_of('M') }} else {{ rank_of('A') }} end
{%- endmacro %}

{% macro is_built_in(measure) -%}
    {{ measure }} in ('areas', 'area_km2')
{%- endmacro %}

{#
  A measure in a former area, as a part of a product: `o` is its reported cell, `m` its properties. Built-in measures count there as 1; surfaces
  are weights (int_restated_products). An area without counted rows has 0.
#}
{% macro value_at_origin(o, built_in, m) -%}
    case when {{ built_in }} is not null then 1 when {{ o }}.measure_key is null and {{ m }}.is_counted then 0 else {{ o }}.obs_value end
{%- endmacro %}

{% macro rank_at_origin(o, built_in, m) -%}
    case
        when {{ built_in }} is not null then {{ rank_of('A') }}
        when {{ o }}.measure_key is null and {{ m }}.is_counted then {{ no_rank() }}
        when {{ o }}.measure_key is null then {{ rank_of('O') }}
        else {{ o }}.status_rank
    end
{%- endmacro %}
