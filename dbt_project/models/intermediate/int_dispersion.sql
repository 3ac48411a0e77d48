-- grain: one row per group of areas (int_dispersion_groups) that has at least three values, other than 0; docs/methods.md has the formulas
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with members as (
    {{ dispersion_members() }}
),

weighted_means as (
    {{ weighted_means_of_groups('members') }}
),

ordered as (
    select
        m.group_key,
        m.indicator_key,
        m.n,
        m.share,
        m.weighted_share,
        m.value,
        {% for name in quantiles() -%}
        m.{{ name }}_place,
        least(m.{{ name }}_place + 1, m.n - 1) as {{ name }}_next,
        {% endfor -%}
        w.weighted_mean,
        m.value / m.amplitude as part,
        {{ distance_from('m.mean') }} as distance,
        {{ distance_from('w.weighted_mean') }} as weighted_distance,
        case when m.has_shares then m.value / m.mean end as relative,
        case when m.has_shares and w.weighted_mean > 0 then {{ finite('m.value / w.weighted_mean') }} end as weighted_relative,
        row_number() over in_order - 1 as place,
        -- the weighted share of an area and of those before it
        sum({{ in_units('m.weighted_share') }}) over in_order as running_units
    from members as m
    inner join weighted_means as w on w.group_key = m.group_key
    window in_order as (partition by m.group_key order by m.value, m.area_key rows between unbounded preceding and current row)
),

terms as (
    select
        *,
        2 * {{ from_units('running_units') }} - weighted_share as lorenz_share,
        case when relative > 0 then ln(relative) end as log_relative,
        case when weighted_relative > 0 then ln(weighted_relative) end as weighted_log
    from ordered
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
