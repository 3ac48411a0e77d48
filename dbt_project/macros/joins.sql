{# The condition that two rows describe the same cell: the same indicator (or measure), area, period, sex and age. #}
{% macro is_same_cell(left_row, right_row, of='indicator') -%}
    {{ left_row }}.{{ of }}_key = {{ right_row }}.{{ of }}_key
    and {{ left_row }}.area_key = {{ right_row }}.area_key
    and {{ left_row }}.period_key = {{ right_row }}.period_key
    and {{ left_row }}.breakdown_key = {{ right_row }}.breakdown_key
{%- endmacro %}

{# The condition that two rows describe the same convergence: the same indicator, areas, pair of periods, sex and age. #}
{% macro is_same_convergence(left_row, right_row) -%}
    {{ left_row }}.indicator_key = {{ right_row }}.indicator_key
    and {{ left_row }}.within_key = {{ right_row }}.within_key
    and {{ left_row }}.level_position = {{ right_row }}.level_position
    and {{ left_row }}.first_period = {{ right_row }}.first_period
    and {{ left_row }}.last_period = {{ right_row }}.last_period
    and {{ left_row }}.breakdown_key = {{ right_row }}.breakdown_key
{%- endmacro %}
