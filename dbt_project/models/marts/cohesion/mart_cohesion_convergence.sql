-- grain: one row per indicator, area above, level of the areas compared, pair of periods, sex and statistic of their convergence
with pairs as (
    select
        *,
        first_value is not null and last_value is not null as has_both_values
    from {{ ref('int_convergence_pairs') }}
),

-- a group with any value that has no logarithm is undefined as a whole
logs as (
    select
        *,
        case when has_both_values and first_value > 0 then ln(first_value) end as x,
        case when has_both_values and last_value > 0 then ln(last_value) end as z
    from pairs
),

groups as (
    select
        indicator,
        within,
        of_level,
        first_period,
        last_period,
        sex,
        any_value(years) as years,
        count(*) filter (where has_both_values) as n,
        coalesce(bool_and(x is not null and z is not null) filter (where has_both_values), false) as is_positive,
        max(status_rank) filter (where has_both_values) as status_rank,
        stddev_pop(x) as sigma_first,
        stddev_pop(z) as sigma_last,
        regr_slope((z - x) / years, x) as beta,
        regr_intercept((z - x) / years, x) as alpha,
        regr_sxx((z - x) / years, x) as sxx,
        regr_sxy((z - x) / years, x) as sxy,
        regr_syy((z - x) / years, x) as syy
    from logs
    group by indicator, within, of_level, first_period, last_period, sex
),

-- no slope for equal first values, and a slope of 0 for equal growth: equal logarithms can differ in the last digit
sloped as (
    select
        * replace (case when syy > {{ var('log_variance_tolerance') }} * n then beta else 0.0 end as beta),
        sxx > {{ var('log_variance_tolerance') }} * n as has_slope,
        syy > {{ var('log_variance_tolerance') }} * n as growth_varies,
        greatest(syy - beta * sxy, 0.0) as residual
    from groups
),

-- equal last values have no speed: 1 + beta * T is 0, except for the last digit
speeds as (
    select
        *,
        case when has_slope and 1 + beta * years > {{ var('remaining_gap_tolerance') }} then -ln(1 + beta * years) / years end as speed
    from sloped
),

spans as (
    select distinct indicator, first_period, last_period
    from groups
),

spans_with_break as (
    {{ spans_with_break('spans', 'first_period', 'last_period') }}
),

statistics as (
    select
        s.indicator,
        s.within,
        s.of_level,
        s.first_period,
        s.last_period,
        s.sex,
        s.n,
        s.is_positive,
        greatest(s.status_rank, {{ rank_if('b.indicator is not null', 'B') }}) as status_rank,
        unnest([
            { name: 'sigma_first', amount: s.sigma_first },
            { name: 'sigma_last', amount: s.sigma_last },
            { name: 'sigma_change', amount: s.sigma_last - s.sigma_first },
            { name: 'beta', amount: case when s.has_slope then s.beta end },
            { name: 'alpha', amount: case when s.has_slope then s.alpha end },
            { name: 'beta_se', amount: case when s.has_slope and s.n > 2 then sqrt(s.residual / (s.n - 2) / s.sxx) end },
            { name: 'r2', amount: case when s.has_slope and s.growth_varies then least(s.beta * s.sxy / s.syy, 1.0) end },
            { name: 'speed', amount: s.speed },
            { name: 'half_life', amount: case when s.speed > 0 then ln(2) / s.speed end }
        ]) as statistic
    from speeds as s
    left join spans_with_break as b
        on b.indicator = s.indicator and b.first_period = s.first_period and b.last_period = s.last_period
)

select
    s.indicator,
    s.within,
    s.of_level,
    s.first_period,
    s.last_period,
    s.sex,
    s.statistic.name as statistic,
    case when s.n >= {{ var('min_areas_compared') }} and s.is_positive then s.statistic.amount end as obs_value,
    case
        when s.n < {{ var('min_areas_compared') }} then 'L'
        when not s.is_positive or s.statistic.amount is null then 'Z'
        else {{ rank_status('s.status_rank') }}
    end as obs_status,
    s.n
from statistics as s
