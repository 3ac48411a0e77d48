-- grain: one row per convergence of an indicator with intervals: the standard deviation in both periods without what chance alone would give
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with pairs as (
    select p.*
    from {{ ref('int_convergence_pairs') }} as p
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = p.indicator_key
    where
        i.interval_kind is not null
        and p.first_value is not null
        and p.last_value is not null
        and {{ in_scope('p.indicator_key') }}
),

ranges as (
    select
        {{ convergence_keys() }},
        {% for end in ['first', 'last'] -%}
        min({{ end }}_value) as {{ end }}_low,
        {{ finite('max(' ~ end ~ '_value) - min(' ~ end ~ '_value)') }} as {{ end }}_width,
        case when count({{ end }}_chance_factor) = count(*) then max({{ end }}_chance_factor) end as {{ end }}_highest_factor,
        min({{ end }}_chance_factor) as {{ end }}_lowest_factor,
        {% endfor -%}
        cast(1 as double) / count(*) as share
    from pairs
    group by {{ convergence_keys() }}
),

-- values, factors and sizes (which are inverse to the factors) as shares of the largest, so that their sums do not depend on the order
shares as (
    select
        {% for end in ['first', 'last'] -%}
        r.{{ end }}_low,
        r.{{ end }}_width,
        r.{{ end }}_highest_factor,
        case when r.{{ end }}_width > 0 then (p.{{ end }}_value - r.{{ end }}_low) / r.{{ end }}_width else 0 end as {{ end }}_place,
        case when r.{{ end }}_highest_factor > 0 then p.{{ end }}_chance_factor / r.{{ end }}_highest_factor else 0 end as {{ end }}_part,
        case when p.{{ end }}_chance_factor > 0 then r.{{ end }}_lowest_factor / p.{{ end }}_chance_factor else 1 end as {{ end }}_size,
        {% endfor -%}
        {{ convergence_keys('r') }},
        r.share
    from pairs as p
    inner join ranges as r on {{ is_same_convergence('r', 'p') }}
),

means as (
    select
        {% for end in ['first', 'last'] -%}
        {{ unit_sum(end ~ '_place * share') }} as {{ end }}_mean,
        {{ unit_sum(end ~ '_part * share') }} * max({{ end }}_highest_factor) as {{ end }}_factor,
        max({{ end }}_low) + max({{ end }}_width) * (
            {{ unit_sum(end ~ '_place * ' ~ end ~ '_size * share') }} / nullif({{ unit_sum(end ~ '_size * share') }}, 0)
        ) as {{ end }}_pooled,
        {% endfor -%}
        {{ convergence_keys() }}
    from shares
    group by {{ convergence_keys() }}
),

deviations as (
    select
        {% for end in ['first', 'last'] -%}
        s.{{ end }}_width,
        m.{{ end }}_factor,
        m.{{ end }}_pooled,
        (s.{{ end }}_place - m.{{ end }}_mean) * (s.{{ end }}_place - m.{{ end }}_mean) * s.share as {{ end }}_square,
        {% endfor -%}
        {{ convergence_keys('m') }}
    from shares as s
    inner join means as m on {{ is_same_convergence('m', 's') }}
),

spreads as (
    select
        {% for end in ['first', 'last'] -%}
        sqrt({{ unit_sum(end ~ '_square') }}) * max({{ end }}_width) as {{ end }}_sd,
        max({{ end }}_factor) as {{ end }}_factor,
        max({{ end }}_pooled) as {{ end }}_pooled,
        {% endfor -%}
        {{ convergence_keys() }}
    from deviations
    group by {{ convergence_keys() }}
)

select
    {{ convergence_keys('d') }},
    {{ sd_left('d.first_sd', chance_variance('d.first_factor', 'd.first_pooled')) }} as sd_left_first,
    {{ sd_left('d.last_sd', chance_variance('d.last_factor', 'd.last_pooled')) }} as sd_left_last
from spreads as d
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = d.indicator_key
