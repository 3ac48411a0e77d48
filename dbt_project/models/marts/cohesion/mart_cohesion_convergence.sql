-- grain: one row per indicator, area above, level of the areas compared, pair of periods, sex and statistic of their convergence
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
{%- set log_statistics = ['sigma_first', 'sigma_last', 'sigma_change', 'beta', 'alpha', 'beta_se', 'r2', 'speed', 'half_life'] %}
-- only of indicators with intervals
{%- set left_statistics = ['sd_left_first', 'sd_left_last', 'sd_left_change'] %}
with pairs as (
    select
        *,
        {{ years_between('first_period', 'last_period') }} as years,
        first_value is not null and last_value is not null as has_both_values
    from {{ ref('int_convergence_pairs') }}
    where {{ in_scope('indicator_key') }}
),

-- a group with any value that has no logarithm is undefined as a whole
logs as (
    select
        *,
        case when has_both_values and first_value > 0 then ln(first_value) end as x,
        case when has_both_values and last_value > 0 then ln(last_value) end as z
    from pairs
),

means as (
    select
        {{ convergence_keys() }},
        max(years) as years,
        count(*) filter (where has_both_values) as n,
        coalesce(bool_and(x is not null and z is not null) filter (where has_both_values), false) as is_positive,
        max(status_rank) filter (where has_both_values) as status_rank,
        {{ log_sum('x') }} / nullif(count(x), 0) as mean_x,
        {{ log_sum('z') }} / nullif(count(z), 0) as mean_z
    from logs
    group by {{ convergence_keys() }}
),

deviations as (
    select
        {{ convergence_keys('l') }},
        l.x - m.mean_x as dx,
        l.z - m.mean_z as dz,
        ((l.z - m.mean_z) - (l.x - m.mean_x)) / m.years as dy
    from logs as l
    inner join means as m
        on
            {{ is_same_convergence('m', 'l') }}
),

squares as (
    select
        {{ convergence_keys() }},
        {{ log_sum('dx * dx') }} as sxx,
        {{ log_sum('dz * dz') }} as szz,
        {{ log_sum('dx * dy') }} as sxy,
        {{ log_sum('dy * dy') }} as syy
    from deviations
    group by {{ convergence_keys() }}
),

-- no slope for equal first values, and a slope of 0 for equal growth: equal logarithms can differ in the last digit
sloped as (
    select
        m.*,
        s.sxx,
        s.szz,
        s.sxy,
        s.syy,
        s.sxx > {{ var('log_variance_tolerance') }} * m.n as has_slope,
        s.syy > {{ var('log_variance_tolerance') }} * m.n as growth_varies,
        case when s.syy > {{ var('log_variance_tolerance') }} * m.n then s.sxy / nullif(s.sxx, 0) else 0 end as beta
    from means as m
    inner join squares as s
        on
            {{ is_same_convergence('s', 'm') }}
),

residuals as (
    select
        {{ convergence_keys('s') }},
        {{ log_sum('(d.dy - s.beta * d.dx) * (d.dy - s.beta * d.dx)') }} as residual
    from sloped as s
    inner join deviations as d
        on
            {{ is_same_convergence('d', 's') }}
    group by {{ convergence_keys('s') }}
),

-- equal last values have no speed: 1 + beta * T is 0, except for the last digit
speeds as (
    select
        s.*,
        r.residual,
        (s.mean_z - s.mean_x) / s.years - s.beta * s.mean_x as alpha,
        sqrt(s.szz / nullif(s.n, 0)) as sigma_last,
        sqrt(s.sxx / nullif(s.n, 0)) as sigma_first,
        case when s.has_slope and 1 + s.beta * s.years > {{ var('remaining_gap_tolerance') }} then -ln(1 + s.beta * s.years) / s.years end as speed
    from sloped as s
    inner join residuals as r
        on
            {{ is_same_convergence('r', 's') }}
),

spans as (
    select distinct indicator_key, first_period, last_period
    from means
),

spans_with_break as (
    {{ spans_with_break('spans', 'first_period', 'last_period') }}
),

statistics as (
    select
        {{ convergence_keys('s') }},
        s.n,
        s.is_positive or r.statistic like 'sd_left%' as is_defined,
        greatest(s.status_rank, {{ rank_if('b.indicator_key is not null', 'B') }}) as status_rank,
        r.statistic,
        case r.statistic
            when 'sigma_first' then s.sigma_first
            when 'sigma_last' then s.sigma_last
            when 'sigma_change' then s.sigma_last - s.sigma_first
            when 'beta' then case when s.has_slope then s.beta end
            when 'alpha' then case when s.has_slope then s.alpha end
            when 'beta_se' then case when s.has_slope and s.n > 2 then sqrt(s.residual / (s.n - 2) / s.sxx) end
            when 'r2' then case when s.has_slope and s.growth_varies then least(s.beta * s.sxy / s.syy, 1) end
            when 'speed' then s.speed
            when 'half_life' then case when s.speed > 0 then ln(2) / s.speed end
            when 'sd_left_first' then f.sd_left_first
            when 'sd_left_last' then f.sd_left_last
            when 'sd_left_change' then f.sd_left_last - f.sd_left_first
        end as amount
    from speeds as s
    cross join (
        {{ rows_of('statistic', log_statistics + left_statistics) }}
    ) as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = s.indicator_key
    left join {{ ref('int_convergence_left') }} as f on {{ is_same_convergence('f', 's') }}
    left join spans_with_break as b
        on b.indicator_key = s.indicator_key and b.first_period = s.first_period and b.last_period = s.last_period
    where r.statistic not like 'sd_left%' or i.interval_kind is not null
)

select
    i.indicator,
    a.ref_area as within,
    l.level as of_level,
    p.time_period as first_period,
    q.time_period as last_period,
    x.sex,
    s.statistic,
    case when s.n >= {{ var('min_areas_compared') }} and s.is_defined then s.amount end as obs_value,
    case
        when s.n < {{ var('min_areas_compared') }} then 'L'
        when not s.is_defined or s.amount is null then 'Z'
        else {{ rank_status('s.status_rank') }}
    end as obs_status,
    s.n
from statistics as s
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = s.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = s.within_key
inner join {{ ref('stg_levels') }} as l on l.position = s.level_position
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = s.breakdown_key
inner join {{ ref('dim_period') }} as p on p.period_key = s.first_period
inner join {{ ref('dim_period') }} as q on q.period_key = s.last_period
