{#
  A sum that does not depend on the order of its terms, and so neither on threads nor on the engine: the terms are added as integers, in units
  of 1 / `scale`. The scale is a power of two at which the largest possible term has 90 bits; 36 bits are left for the number of terms.
  `term` is in these units already: `value * scale`.
#}
{% macro exact_sum(term, scale) -%}
    (cast(sum({{ as_units(term) }}) as double) / {{ scale }})
{%- endmacro %}

{% macro as_units(term) -%}
    {{ return(adapter.dispatch('as_units')(term)) }}
{%- endmacro %}

{% macro default__as_units(term) -%}
    cast({{ term }} as hugeint)
{%- endmacro %}

{% macro spark__as_units(term) -%}
    cast({{ term }} as decimal(38, 0))
{%- endmacro %}

{#
  The scale for terms that are at most `bound` in amount. Where the bound is 0 or unknown, the scale is that of 1. A bound that is no finite number
  has no scale, so that the sums are missing: both engines sort NaN after all numbers, and would round every term to 0.
#}
{% macro scale_for(bound) -%}
    case
        when {{ bound }} > 1.7976931348623157e308 then null
        else pow(cast(2 as double), 90 - least(greatest(ceil(log2(case when {{ bound }} > 0 then {{ bound }} else 1 end)), -900), 1024))
    end
{%- endmacro %}
