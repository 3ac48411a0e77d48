{# The condition that two rows describe the same cell: the same indicator (or measure), area, period, sex and age. #}
{% macro is_same_cell(left_row, right_row, of='indicator') -%}
    {{ left_row }}.{{ of }}_key = {{ right_row }}.{{ of }}_key
    and {{ left_row }}.area_key = {{ right_row }}.area_key
    and {{ left_row }}.period_key = {{ right_row }}.period_key
    and {{ left_row }}.breakdown_key = {{ right_row }}.breakdown_key
{%- endmacro %}
