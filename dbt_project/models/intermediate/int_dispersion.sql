-- grain: one row per group of areas (int_dispersion_groups) that has at least three values, other than 0; docs/methods.md has the formulas
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with members as (
    {{ dispersion_members() }}
),

groups as (
    {{ groups_with_means('members') }}
),

-- sorting takes most of the time: only what it needs
ordered as (
    select
        group_key,
        value,
        amplitude,
        weighted_share,
        row_number() over in_order - 1 as place,
        -- the weighted share of an area and of those before it
        sum({{ in_units('weighted_share') }}) over in_order as running_units
    from members
    window in_order as (partition by group_key order by value, area_key rows between unbounded preceding and current row)
),

parts as (
    select
        o.group_key,
        g.indicator_key,
        g.n,
        g.share,
        o.weighted_share,
        o.value,
        o.place,
        {% for name in quantiles() -%}
        g.{{ name }}_place,
        least(g.{{ name }}_place + 1, g.n - 1) as {{ name }}_next,
        {% endfor -%}
        g.weighted_mean,
        o.value / o.amplitude as part,
        {{ distance_from('g.mean') }} as distance,
        {{ distance_from('g.weighted_mean') }} as weighted_distance,
        2 * {{ from_units('o.running_units') }} - o.weighted_share as lorenz_share,
        case when g.has_shares then o.value / g.mean end as relative,
        case when g.has_shares and g.weighted_mean > 0 then {{ finite('o.value / g.weighted_mean') }} end as weighted_relative
    from ordered as o
    inner join groups as g on g.group_key = o.group_key
),

terms as (
    select
        *,
        case when relative > 0 then ln(relative) end as log_relative,
        case when weighted_relative > 0 then ln(weighted_relative) end as weighted_log
    from parts
)

select
    group_key,
    max(indicator_key) as indicator_key,
    max(weighted_mean) as weighted_mean,
    {% for name in quantiles() -%}
    max(case when place = {{ name }}_place then value end) as {{ name }}_below,
    max(case when place = {{ name }}_next then value end) as {{ name }}_above,
    {% endfor -%}
    {{ unit_sum('distance * distance * share') }} as squares,
    {{ unit_sum('distance * (2 * place + 1) / n * share') }} as lorenz,
    {{ unit_sum('abs(distance) * share') }} as distances,
    {{ unit_sum('sqrt(greatest(part, 0)) * share') }} as roots,
    {{ log_sum('share * relative * coalesce(log_relative, 0)') }} as products,
    {{ log_sum('share * log_relative') }} as logs,
    {{ log_sum('share * log_relative * log_relative') }} as log_squares,
    {{ unit_sum('weighted_distance * weighted_distance * weighted_share') }} as weighted_squares,
    {{ unit_sum('weighted_distance * lorenz_share * weighted_share') }} as weighted_lorenz,
    {{ unit_sum('abs(weighted_distance) * weighted_share') }} as weighted_distances,
    {{ unit_sum('sqrt(greatest(part, 0)) * weighted_share') }} as weighted_roots,
    {{ log_sum('weighted_share * weighted_relative * coalesce(weighted_log, 0)') }} as weighted_products,
    {{ log_sum('weighted_share * weighted_log') }} as weighted_logs,
    {{ log_sum('weighted_share * weighted_log * weighted_log') }} as weighted_log_squares
from terms
group by group_key
