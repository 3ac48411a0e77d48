-- grain: one row per indicator, area above, level of the areas compared, level of a decomposition, period, sex and statistic
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
{%- set mean_of = {'': 'g.mean', 'weighted_': 'd.weighted_mean'} %}
with groups as (
    select *
    from {{ ref('int_dispersion_groups') }} as g
    where {{ in_scope('g.indicator_key') }}
),

statistics as (
    select
        g.group_key,
        cast(null as smallint) as by_position,
        s.statistic,
        case
            when s.statistic = 'max_min' then case when g.low > 0 then g.high / g.low end
            when g.n < {{ var('min_areas_compared') }} then null
            when s.statistic = 'p90_p10' then case when {{ quantile_of('p10') }} > 0 then {{ quantile_of('p90') }} / {{ quantile_of('p10') }} end
            when s.statistic in ('sd', 'iqr') and g.low = g.high then 0
            when s.statistic = 'sd' then sqrt(d.squares) * g.width
            when s.statistic = 'iqr' then greatest({{ quantile_of('q3') }} - {{ quantile_of('q1') }}, 0)
            -- Eurostat's dispersion is weighted where there is a weight
            when s.statistic = 'mean_abs_dev' and g.weighted
                then case when g.low >= 0 and d.weighted_mean > 0 then 100 * d.weighted_distances * (g.width / d.weighted_mean) end
            when s.statistic = 'mean_abs_dev'
                then case when g.low >= 0 and g.mean > 0 then 100 * d.distances * (g.width / g.mean) end
        end as amount
    from groups as g
    cross join ({{ rows_of('statistic', ['sd', 'iqr', 'max_min', 'p90_p10', 'mean_abs_dev']) }}) as s
    left join {{ ref('int_dispersion') }} as d on d.group_key = g.group_key
    union all
    -- of indicators with intervals: the part of the standard deviation that chance alone would give, and the part that is left
    select
        g.group_key,
        cast(null as smallint) as by_position,
        s.statistic,
        case
            when g.n < {{ var('min_areas_compared') }} then null
            when s.statistic = 'sd_chance' then sqrt({{ chance_variance('g.chance_factor', 'coalesce(d.weighted_mean, 0)') }})
            else {{ sd_left(
                'case when g.low = g.high then 0 else sqrt(d.squares) * g.width end',
                chance_variance('g.chance_factor', 'coalesce(d.weighted_mean, 0)')
            ) }}
        end as amount
    from groups as g
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = g.indicator_key and i.interval_kind is not null
    cross join ({{ rows_of('statistic', ['sd_chance', 'sd_left']) }}) as s
    left join {{ ref('int_dispersion') }} as d on d.group_key = g.group_key
    {% for prefix, mean in mean_of.items() %}
    union all
    select
        g.group_key,
        cast(null as smallint) as by_position,
        concat(s.statistic, '{{ '_weighted' if prefix }}') as statistic,
        case
            when g.n < {{ var('min_areas_compared') }} or g.low < 0 or not coalesce({{ mean }} > 0, false) then null
            when s.statistic in ('theil_l', 'sd_log') and g.low = 0 then null
            when g.low = g.high then 0
            {% for name, value in inequality(prefix, mean) -%}
            when s.statistic = '{{ name }}' then greatest({{ value }}, 0)
            {% endfor -%}
        end as amount
    from groups as g
    cross join ({{ rows_of('statistic', inequality(prefix, mean) | map('first') | list) }}) as s
    left join {{ ref('int_dispersion') }} as d on d.group_key = g.group_key
    {%- if prefix %}
    where g.weighted
    {%- endif %}
    union all
    select
        g.group_key,
        b.by_position,
        concat(s.statistic, '{{ '_weighted' if prefix }}') as statistic,
        case
            when g.n < {{ var('min_areas_compared') }} or g.low < 0 or not coalesce({{ mean }} > 0, false) then null
            when g.low = g.high then 0
            when s.statistic = 'theil_t_between' then greatest(t.{{ prefix or '' }}between{{ '' if prefix else '_groups' }}, 0)
            else greatest(t.{{ prefix or '' }}within{{ '' if prefix else '_groups' }}, 0)
        end as amount
    from groups as g
    inner join {{ ref('int_dispersion_levels') }} as b on b.group_key = g.group_key
    cross join ({{ rows_of('statistic', ['theil_t_between', 'theil_t_within']) }}) as s
    left join {{ ref('int_dispersion') }} as d on d.group_key = g.group_key
    left join {{ ref('int_theil_parts') }} as t on t.group_key = g.group_key and t.by_position = b.by_position
    {%- if prefix %}
    where g.weighted
    {%- endif %}
    {% endfor -%}
)

select
    i.indicator,
    a.ref_area as within,
    l.level as of_level,
    coalesce(b.level, '') as by_level,
    p.time_period,
    x.sex,
    s.statistic,
    {{ finite('s.amount') }} as obs_value,
    case
        when g.n < case when s.statistic = 'max_min' then 1 else {{ var('min_areas_compared') }} end then 'L'
        when {{ finite('s.amount') }} is null then 'Z'
        else {{ rank_status('g.status_rank') }}
    end as obs_status,
    g.n,
    cast(g.n as double) / g.n_areas as coverage
from statistics as s
inner join groups as g on g.group_key = s.group_key
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = g.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = g.within_key
inner join {{ ref('stg_levels') }} as l on l.position = g.level_position
inner join {{ ref('dim_period') }} as p on p.period_key = g.period_key
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = g.breakdown_key
left join {{ ref('stg_levels') }} as b on b.position = s.by_position
