{# The condition that two rows describe the same cell: the same indicator (or measure), area, period, sex and age. #}
{% macro is_same_cell(left_row, right_row, of='indicator') -%}
    {{ left_row }}.{{ of }} = {{ right_row }}.{{ of }}
    and {{ left_row }}.ref_area = {{ right_row }}.ref_area
    and {{ left_row }}.time_period = {{ right_row }}.time_period
    and {{ left_row }}.sex = {{ right_row }}.sex
    and {{ left_row }}.age = {{ right_row }}.age
{%- endmacro %}

{# The condition that a row lies at the finest level with data in its period. `period` is the row of int_indicator_periods. #}
{% macro is_at_finest_level(period, row) -%}
    {{ period }}.indicator = {{ row }}.indicator
    and {{ period }}.time_period = {{ row }}.time_period
    and {{ period }}.finest_level = {{ row }}.level
{%- endmacro %}
