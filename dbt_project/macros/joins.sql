{# The condition that two rows describe the same cell: the same indicator (or measure), area, period, sex and age. #}
{% macro is_same_cell(left_row, right_row, of='indicator') -%}
    {{ left_row }}.{{ of }}_key = {{ right_row }}.{{ of }}_key
    and {{ left_row }}.area_key = {{ right_row }}.area_key
    and {{ left_row }}.period_key = {{ right_row }}.period_key
    and {{ left_row }}.breakdown_key = {{ right_row }}.breakdown_key
{%- endmacro %}

{# The condition that two rows describe what one source gives of the same measure, area, period and age, whatever the sex. `age` is that of the right row. #}
{% macro is_same_over_sexes(left_row, right_row, age=none) -%}
    {{ left_row }}.source_position = {{ right_row }}.source_position
    and {{ left_row }}.measure_key = {{ right_row }}.measure_key
    and {{ left_row }}.area_key = {{ right_row }}.area_key
    and {{ left_row }}.period_key = {{ right_row }}.period_key
    and {{ left_row }}.age_code = {{ age or right_row ~ '.age_code' }}
{%- endmacro %}

{# The condition that two rows describe the same convergence: the same indicator, areas, pair of periods, sex and age. #}
{% macro is_same_convergence(left_row, right_row) -%}
    {% for key in columns_of_convergence() -%}
    {{ left_row }}.{{ key }} = {{ right_row }}.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The columns that identify a convergence, of a table with an alias if one is given. #}
{% macro convergence_keys(of='') -%}
    {% for key in columns_of_convergence() -%}
    {{ of ~ '.' if of }}{{ key }}{{ ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro columns_of_convergence() -%}
    {{ return(['indicator_key', 'within_key', 'level_position', 'first_period', 'last_period', 'breakdown_key']) }}
{%- endmacro %}
