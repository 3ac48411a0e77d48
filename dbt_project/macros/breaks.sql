{#
  Whether a break lies between two periods, given by their keys: after the first, and not after the last. `break_day` is the number of the
  first day after the break.
#}
{% macro is_break_between(break_day, first_period, last_period) -%}
    {{ break_day }} > {{ first_day_number(first_period) }}
    and {{ break_day }} <= {{ first_day_number(last_period) }}
{%- endmacro %}

{# The indicators and spans of a relation that have a break inside: one row per indicator, first period and last period. #}
{% macro spans_with_break(spans, first_period, last_period) -%}
    select distinct
        s.indicator_key,
        s.{{ first_period }},
        s.{{ last_period }}
    from {{ spans }} as s
    inner join {{ ref('int_indicator_breaks') }} as b
        on b.indicator_key = s.indicator_key and {{ is_break_between('b.day_number', 's.' ~ first_period, 's.' ~ last_period) }}
{%- endmacro %}
