-- grain: one statistic of how the areas of a level inside an area above have drawn together between two periods
with at_both_ends as (
    select
        *,
        first_value is not null and last_value is not null as is_there
    from {{ ref('int_convergence_pairs') }}
),

-- logarithms only where they exist; a group with any value that has none is not defined as a whole
logs as (
    select
        *,
        case when is_there and first_value > 0 then ln(first_value) end as x,
        case when is_there and last_value > 0 then ln(last_value) end as z
    from at_both_ends
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
        count(*) filter (where is_there) as n,
        coalesce(bool_and(x is not null and z is not null) filter (where is_there), false) as is_positive,
        max(status_rank) filter (where is_there) as status_rank,
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

-- equal first values have no slope, and where all grow alike it is 0: their logarithms may differ in the last digit
sloped as (
    select
        * replace (case when syy > 1e-24 * n then beta else 0.0 end as beta),
        sxx > 1e-24 * n as has_slope,
        greatest(syy - beta * sxy, 0.0) as residual
    from groups
),

-- where all last values are equal nothing is left of the differences: 1 + beta * T is 0, but for the last digit
speeds as (
    select
        *,
        case when has_slope and 1 + beta * years > 1e-12 then -ln(1 + beta * years) / years end as speed
    from sloped
),

broken as (
    select distinct
        g.indicator,
        g.first_period,
        g.last_period
    from (select distinct indicator, first_period, last_period from groups) as g
    inner join {{ ref('int_indicator_breaks') }} as b
        on
            b.indicator = g.indicator
            and b.first_day > {{ first_day('g.first_period') }}
            and b.first_day <= {{ first_day('g.last_period') }}
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
        greatest(s.status_rank, case when b.indicator is not null then 5 else 0 end) as status_rank,
        unnest([
            {name: 'sigma_first', amount: s.sigma_first},
            {name: 'sigma_last', amount: s.sigma_last},
            {name: 'sigma_change', amount: s.sigma_last - s.sigma_first},
            {name: 'beta', amount: case when s.has_slope then s.beta end},
            {name: 'alpha', amount: case when s.has_slope then s.alpha end},
            {name: 'beta_se', amount: case when s.has_slope and s.n > 2 then sqrt(s.residual / (s.n - 2) / s.sxx) end},
            {name: 'r2', amount: case when s.has_slope and s.syy > 1e-24 * s.n then least(s.beta * s.sxy / s.syy, 1.0) end},
            {name: 'speed', amount: s.speed},
            {name: 'half_life', amount: case when s.speed > 0 then ln(2) / s.speed end}
        ]) as statistic
    from speeds as s
    left join broken as b
        on b.indicator = s.indicator and b.first_period = s.first_period and b.last_period = s.last_period
)

select
    indicator,
    within,
    of_level,
    first_period,
    last_period,
    sex,
    statistic.name as statistic,
    case when n >= 3 and is_positive then statistic.amount end as obs_value,
    case
        when n < 3 then 'L'
        when not is_positive or statistic.amount is null then 'Z'
        else {{ rank_status('status_rank') }}
    end as obs_status,
    n
from statistics
