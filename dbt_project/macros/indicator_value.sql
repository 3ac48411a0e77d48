{#
  The value of a row from its sums. It is null if undefined: a denominator of 0, a percentage of a base that is not positive,
  or a logarithm that does not exist. `i` is the row of stg_indicators; `v` has the sums.
#}
{% macro ratio(numerator, denominator) -%}
    (i.multiplier * case when i.has_denominator then {{ numerator }} / nullif({{ denominator }}, 0) else {{ numerator }} end)
{%- endmacro %}

{% macro indicator_value(v) -%}
    {%- set current = ratio(v ~ '.numerator', v ~ '.denominator') -%}
    {%- set base = ratio(v ~ '.base_numerator', v ~ '.base_denominator') -%}
    case
        when i.change_kind is null then {{ current }}
        when i.change_kind = 'difference' then {{ current }} - {{ base }}
        when i.change_kind = 'percent' and {{ base }} > 0 then 100.0 * ({{ current }} - {{ base }}) / {{ base }}
        when i.change_kind = 'log_ratio' and {{ base }} > 0 and {{ current }} > 0 then ln({{ current }} / {{ base }})
    end
{%- endmacro %}
