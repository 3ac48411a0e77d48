{#
  The statistics of dispersion. All sums are over integers, so that they depend on no order: see macros/exact_sum.sql. The terms here are
  shares or relative numbers, whose size is known, so their units are fixed: 2^60 for what stays below 2, and more bits where logarithms enter.
#}
{% macro in_units(term) -%}
    cast(({{ term }}) * cast(1152921504606846976 as double) as bigint)
{%- endmacro %}

{% macro from_units(units) -%}
    cast({{ units }} as double) / cast(1152921504606846976 as double)
{%- endmacro %}

{% macro unit_sum(term) -%}
    ({{ from_units('sum(' ~ in_units(term) ~ ')') }})
{%- endmacro %}

{% macro log_sum(term) -%}
    {{ exact_sum('(' ~ term ~ ') * pow(cast(2 as double), 80)', 'pow(cast(2 as double), 80)') }}
{%- endmacro %}

{# How far a value lies from a mean, as a share of the width, so that small differences of large values keep their digits. Null if the width is
   unknown; a mean that lies beyond the values by rounding does not take it past 1. #}
{% macro distance_from(mean) -%}
    case when g.width = 0 then 0 when g.width > 0 then least(greatest((o.value - {{ mean }}) / g.width, -1), 1) end
{%- endmacro %}

{# The quantiles that statistics are made of. #}
{% macro quantiles() -%}
    {{ return({'p10': 0.1, 'q1': 0.25, 'q3': 0.75, 'p90': 0.9}) }}
{%- endmacro %}

{# The place of the value at or below a quantile of `n` values, counted from 0 in their order. #}
{% macro quantile_place(quantile, n) -%}
    floor(cast({{ quantile }} as double) * ({{ n }} - 1))
{%- endmacro %}

{# A quantile from its two neighbours, interpolated linearly. #}
{% macro quantile_of(name) -%}
    (
        d.{{ name }}_below
        + (d.{{ name }}_above - d.{{ name }}_below) * (cast({{ quantiles()[name] }} as double) * (g.n - 1) - g.{{ name }}_place)
    )
{%- endmacro %}

{# The areas of every group with a value, and their weighted share in it. One row per group and area: the largest relation of all, so what is
   the same for a whole group is not in it, but in groups_with_means. #}
{% macro dispersion_members() -%}
    select
        g.group_key,
        i.area_key,
        i.period_key,
        i.obs_value as value,
        g.amplitude,
        -- without a defined share the weighted statistics are null
        case
            when g.total_weight > 0 then coalesce(i.weight, 0) / g.total_weight
            when g.total_weight = 0 then cast(1 as double) / g.n
        end as weighted_share
    from {{ ref('int_dispersion_inputs') }} as i
    inner join {{ ref('int_area_tree') }} as t on t.period_key = i.period_key and t.area_key = i.area_key
    inner join {{ ref('int_dispersion_groups') }} as g
        on
            g.indicator_key = i.indicator_key
            and g.within_key = t.ancestor_key
            and g.level_position = i.level_position
            and g.period_key = i.period_key
            and g.breakdown_key = i.breakdown_key
    -- all statistics but one need three areas; where all values are 0, nothing differs
    where g.n >= {{ var('min_areas_compared') }} and g.amplitude > 0 and {{ in_scope('g.indicator_key') }}
{%- endmacro %}

{# What is the same for all members of a group, over the rows of dispersion_members. The weighted mean is null if the group has no weighted
   statistics. #}
{% macro groups_with_means(members) -%}
    select
        g.group_key,
        g.indicator_key,
        g.n,
        g.mean,
        g.width,
        {% for name in quantiles() -%}
        g.{{ name }}_place,
        {% endfor -%}
        -- shares need values that are not negative
        g.low >= 0 and g.mean > 0 as has_shares,
        cast(1 as double) / g.n as share,
        w.weighted_mean
    from {{ ref('int_dispersion_groups') }} as g
    inner join (
        select
            group_key,
            case
                when count(weighted_share) = count(*)
                    then {{ unit_sum('value / amplitude * weighted_share') }} * max(amplitude)
            end as weighted_mean
        from {{ members }}
        group by group_key
    ) as w on w.group_key = g.group_key
{%- endmacro %}

{# The statistics of shares and logarithms, without weights and with them: pairs of a name and its expression. `g` is a row of
   int_dispersion_groups, `d` a row of int_dispersion. #}
{% macro inequality(prefix, mean) -%}
    {%- set column = 'd.' ~ prefix -%}
    {{ return([
        ('cv', 'sqrt(' ~ column ~ 'squares) * (g.width / ' ~ mean ~ ')'),
        ('gini', column ~ 'lorenz * (g.width / ' ~ mean ~ ')'),
        ('hoover', column ~ 'distances * (g.width / ' ~ mean ~ ') / 2'),
        ('atkinson_05', '1 - ' ~ column ~ 'roots * ' ~ column ~ 'roots * (g.amplitude / ' ~ mean ~ ')'),
        ('theil_t', column ~ 'products'),
        ('theil_l', '-' ~ column ~ 'logs'),
        ('sd_log', 'sqrt(greatest(' ~ column ~ 'log_squares - ' ~ column ~ 'logs * ' ~ column ~ 'logs, 0))'),
    ]) }}
{%- endmacro %}
