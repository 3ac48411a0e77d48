-- grain: one indicator, area, period, sex and age, computed from the area's own observations, windows and base periods included
with row_cells as (
    select
        p.indicator,
        p.time_period,
        a.ref_area,
        a.level,
        s.sex,
        s.age
    from {{ ref('int_indicator_periods') }} as p
    inner join {{ ref('int_valid_areas') }} as a on a.time_period = p.time_period
    inner join {{ ref('int_indicator_splits') }} as s on s.indicator = p.indicator and s.time_period = p.time_period
    left join {{ ref('stg_indicator_levels') }} as il on il.indicator = p.indicator and il.level = a.level
    where il.level is not null or a.level = p.finest_level
),

-- without a window the period's own value stands
plain as (
    select
        i.indicator,
        f.ref_area,
        f.time_period,
        f.sex,
        f.age,
        case when i.weighted then f.numerator * f.denominator else f.numerator end as numerator,
        f.denominator,
        f.numerator as own_value,
        f.status_rank,
        f.numerator_rank,
        f.observed
    from {{ ref('int_formula_values') }} as f
    inner join {{ ref('stg_indicators') }} as i on i.indicator = f.indicator
    where i.window_years is null
),

-- a window ends at the row's period; a year counts where numerator and denominator are both there
window_years as (
    select
        i.indicator,
        i.window_agg,
        i.window_min,
        i.has_denominator,
        i.weighted,
        w.back
    from {{ ref('stg_indicators') }} as i
    cross join lateral (select unnest(range(0, i.window_years)) as back) as w
    where i.window_years is not null
),

window_ends as (
    select distinct
        c.indicator,
        c.ref_area,
        {{ years_before('c.time_period', 'e.years') }} as time_period,
        c.sex,
        c.age
    from row_cells as c
    inner join (
        select indicator, 0 as years from {{ ref('stg_indicators') }} where window_years is not null
        union
        select indicator, change_years as years from {{ ref('stg_indicators') }} where window_years is not null and change_years is not null
    ) as e on e.indicator = c.indicator
),

in_window as (
    select
        e.indicator,
        e.ref_area,
        e.time_period,
        e.sex,
        e.age,
        y.window_agg,
        y.window_min,
        y.back,
        case when f.status_rank < 11 then case when y.weighted then f.numerator * f.denominator else f.numerator end end as numerator,
        case when f.status_rank < 11 then f.denominator end as denominator,
        f.status_rank,
        f.observed
    from window_ends as e
    inner join window_years as y on y.indicator = e.indicator
    left join {{ ref('int_formula_values') }} as f
        on
            f.indicator = e.indicator
            and f.ref_area = e.ref_area
            and f.time_period = {{ years_before('e.time_period', 'y.back') }}
            and f.sex = e.sex
            and f.age = e.age
),

windowed as (
    select
        indicator,
        ref_area,
        time_period,
        sex,
        age,
        case
            when count(numerator) < any_value(window_min) then null
            when any_value(window_agg) = 'sum' then sum(numerator order by back)
            when any_value(window_agg) = 'mean' then sum(numerator order by back) / count(numerator)
            else count(*) filter (where numerator <> 0)
        end as numerator,
        case
            when count(numerator) < any_value(window_min) or count(denominator) = 0 then null
            when any_value(window_agg) = 'sum' then sum(denominator order by back)
            when any_value(window_agg) = 'mean' then sum(denominator order by back) / count(denominator)
            else count(*) filter (where denominator <> 0)
        end as denominator,
        case
            when count(numerator) < any_value(window_min) then coalesce(max(status_rank), 11)
            else max(status_rank) filter (where status_rank < 11)
        end as status_rank,
        coalesce(bool_or(observed), false) as observed
    from in_window
    group by indicator, ref_area, time_period, sex, age
),

values_at as (
    select indicator, ref_area, time_period, sex, age, numerator, denominator, own_value, status_rank, numerator_rank, observed from plain
    union all
    select
        indicator, ref_area, time_period, sex, age, numerator, denominator,
        cast(null as double) as own_value, status_rank, status_rank as numerator_rank, observed
    from windowed
)

select
    c.indicator,
    c.ref_area,
    c.level,
    c.time_period,
    c.sex,
    c.age,
    now.numerator,
    now.denominator,
    base.numerator as base_numerator,
    base.denominator as base_denominator,
    now.own_value,
    now.numerator_rank,
    -- both ends of a change must be there; a break between them marks the change
    greatest(
        now.status_rank,
        case when i.change_years is not null then coalesce(base.status_rank, 11) else 0 end,
        case when b.indicator is not null then 5 else 0 end
    ) as status_rank,
    now.observed
from row_cells as c
inner join {{ ref('stg_indicators') }} as i on i.indicator = c.indicator
inner join values_at as now
    on
        now.indicator = c.indicator
        and now.ref_area = c.ref_area
        and now.time_period = c.time_period
        and now.sex = c.sex
        and now.age = c.age
left join values_at as base
    on
        i.change_years is not null
        and base.indicator = c.indicator
        and base.ref_area = c.ref_area
        and base.time_period = {{ years_before('c.time_period', 'i.change_years') }}
        and base.sex = c.sex
        and base.age = c.age
left join (
    select distinct
        i2.indicator,
        p.time_period
    from {{ ref('stg_indicators') }} as i2
    inner join {{ ref('int_indicator_periods') }} as p on p.indicator = i2.indicator
    inner join {{ ref('stg_terms') }} as t on t.indicator = i2.indicator
    inner join {{ ref('stg_breaks') }} as x on x.measure in (t.measure, t.times)
    where
        i2.change_years is not null
        and {{ first_day('x.period') }} <= {{ first_day(years_before('p.time_period', 't.lag')) }}
        and {{ first_day('x.period') }} > {{ first_day(years_before('p.time_period', '(t.lag + i2.change_years)')) }}
) as b on b.indicator = c.indicator and b.time_period = c.time_period
