{#
  One bound of the interval of a value: `side` is lower or upper. `i` is the row of stg_indicators and `c` the cell; `l` has the exact limits
  of small counts, `t` the quantiles of Student's t, and `s` the sample of a mean. The formulas, with their sources, are in docs/methods.md;
  pipelines/statistics/intervals.py has the same in Python. Null where the cell has no value, or where no interval is defined.
#}
{% macro interval_bound(side, confidence) -%}
    {%- set z = normal_quantiles()[confidence] -%}
    {%- set sign = '-' if side == 'lower' else '+' -%}
    i.multiplier * case
        when c.obs_value is null then null
        when i.interval_kind = 'mean' then c.numerator {{ sign }} t.t_{{ confidence }} * s.sd / sqrt(s.n)
        when not c.denominator > 0 or not c.numerator >= 0 then null
        when i.interval_kind = 'proportion' and c.numerator <= c.denominator then {{ wilson_bound(sign, z) }}
        when i.interval_kind = 'rate' and c.numerator < {{ var('byar_from') }} then l.{{ side }}_{{ confidence }} / c.denominator
        when i.interval_kind = 'rate' then {{ byar_bound('c.numerator' if side == 'lower' else '(c.numerator + 1)', sign, z) }} / c.denominator
    end
{%- endmacro %}

{% macro wilson_bound(sign, z) -%}
    (
        2 * c.numerator + {{ z * z }}e0
        {{ sign }} {{ z }}e0 * sqrt({{ z * z }}e0 + 4 * c.numerator * (1 - c.numerator / c.denominator))
    ) / (2 * (c.denominator + {{ z * z }}e0))
{%- endmacro %}

{% macro byar_bound(events, sign, z) -%}
    {{ events }} * power(1 - 1 / (9 * {{ events }}) {{ sign }} {{ z }}e0 / (3 * sqrt({{ events }})), 3)
{%- endmacro %}

{# The quantiles of the normal distribution for the two levels of confidence, 95 % and 99.8 %, by the ending of the columns. #}
{% macro normal_quantiles() -%}
    {{ return({'95': 1.959963984540054, '998': 3.090232306167813}) }}
{%- endmacro %}
