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

{#
  The part of the variance of chance that depends on the size of an area: the square of the multiplier over the denominator of a proportion or
  a rate, and the squared standard error of a mean. `i` is the row of stg_indicators, `c` the cell, and `s` the sample of a mean. Null where
  no interval is defined.
#}
{% macro chance_factor() -%}
    case
        when c.obs_value is null then null
        when i.interval_kind = 'mean' then i.multiplier * i.multiplier * (s.sd * s.sd / s.n)
        when not c.denominator > 0 or not c.numerator >= 0 then null
        when i.interval_kind = 'rate' or (i.interval_kind = 'proportion' and c.numerator <= c.denominator)
            then i.multiplier * i.multiplier / c.denominator
    end
{%- endmacro %}

{# The variance that chance alone would give areas with the same true value, which is that of all of them together (`pooled`). #}
{% macro chance_variance(factor, pooled) -%}
    case i.interval_kind
        when 'mean' then {{ factor }}
        when 'rate' then {{ factor }} * {{ pooled }} / i.multiplier
        when 'proportion' then {{ factor }} * greatest({{ pooled }} / i.multiplier * (1 - {{ pooled }} / i.multiplier), 0)
    end
{%- endmacro %}

{# The standard deviation that is left without the variance of chance. It is at least 0: values can differ less than chance alone would make them. #}
{% macro sd_left(sd, chance_variance) -%}
    case when {{ chance_variance }} is not null then sqrt(greatest(({{ sd }}) * ({{ sd }}) - {{ chance_variance }}, 0)) end
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

{#
  Whether the points, which have the columns x_n in years, are equally far apart. The first days of months and dates are not exactly as far apart
  as their numbers. Null with fewer points.
#}
{% macro has_equal_steps(points) -%}
    {%- for point in points -%}
    abs(x_{{ point }} - x_1 - {{ loop.index0 }} * step) < {{ var('equal_steps_tolerance') }}
    {{- ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#
  The slope of the weighted line through points, and the weighted squares of their distances from the mean time. Point n has the columns
  x_n, y_n and weight_n. The terms are added in the order of the points.
#}
{% macro weighted_slope(points) -%}
    ({{ weighted_sum(points, 'x', 'y') }} - {{ weighted_sum(points, 'x') }} * {{ weighted_sum(points, 'y') }} / {{ weighted_sum(points) }})
    / nullif({{ weighted_squares(points) }}, 0)
{%- endmacro %}

{# The `least` or the `greatest` slope that is left if any one point is left out. #}
{% macro slope_without_one_point(extreme, points) -%}
    {{ extreme }}(
    {%- for point in points -%}
        {{ weighted_slope(points | reject('equalto', point) | list) }}{{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}

{% macro weighted_squares(points) -%}
    ({{ weighted_sum(points, 'x', 'x') }} - {{ weighted_sum(points, 'x') }} * {{ weighted_sum(points, 'x') }} / {{ weighted_sum(points) }})
{%- endmacro %}

{% macro weighted_sum(points) -%}
    (
    {%- for point in points -%}
        weight_{{ point }}
        {%- for column in varargs %} * {{ column }}_{{ point }}{% endfor %}
        {{- ' + ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}
