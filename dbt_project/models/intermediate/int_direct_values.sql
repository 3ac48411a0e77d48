-- grain: one indicator, area, period, sex and age, computed from the area's own observations, windows and base periods included
with formulas as (
    select
        f.indicator,
        f.ref_area,
        f.level,
        f.time_period,
        f.sex,
        f.age,
        case when i.weighted then f.numerator * f.denominator else f.numerator end as numerator,
        f.denominator,
        f.numerator as own_value,
        f.status_rank,
        f.numerator_rank,
        f.observed,
        i.window_years,
        i.change_years
    from {{ ref('int_formula_values') }} as f
    inner join {{ ref('stg_indicators') }} as i on i.indicator = f.indicator
),

-- what looks at several periods: its rows, which are fewer than the periods it was computed for
windows_and_changes as (
    select
        indicator,
        window_years,
        window_agg,
        window_min,
        change_years
    from {{ ref('stg_indicators') }}
    where window_years is not null or change_years is not null
),

row_cells as (
    select
        f.indicator,
        f.ref_area,
        f.level,
        f.time_period,
        f.sex,
        f.age
    from formulas as f
    inner join windows_and_changes as i on i.indicator = f.indicator
    inner join {{ ref('int_indicator_periods') }} as p on p.indicator = f.indicator and p.time_period = f.time_period
    inner join {{ ref('int_valid_areas') }} as a on a.time_period = f.time_period and a.ref_area = f.ref_area
),

-- the row's own period, and the base of its change
ends as (
    select indicator, 0 as years from windows_and_changes
    union
    select indicator, change_years as years from windows_and_changes where change_years is not null
),

window_ends as (
    select distinct
        c.indicator,
        c.ref_area,
        {{ years_before('c.time_period', 'e.years') }} as time_period,
        c.sex,
        c.age
    from row_cells as c
    inner join ends as e on e.indicator = c.indicator
),

-- a window ends at the row's period; a year counts where numerator and denominator are both there
in_window as (
    select
        e.indicator,
        e.ref_area,
        e.time_period,
        e.sex,
        e.age,
        w.window_agg,
        w.window_min,
        {{ years_before('e.time_period', 'b.back') }} as at_period
    from window_ends as e
    inner join windows_and_changes as w on w.indicator = e.indicator and w.window_years is not null
    cross join lateral (select unnest(range(0, w.window_years)) as back) as b
),

windowed as (
    select
        w.indicator,
        w.ref_area,
        w.time_period,
        w.sex,
        w.age,
        case
            when count(f.numerator) < any_value(w.window_min) then null
            when any_value(w.window_agg) = 'sum' then sum(f.numerator)
            when any_value(w.window_agg) = 'mean' then sum(f.numerator) / count(f.numerator)
            else count(*) filter (where f.numerator <> 0)
        end as numerator,
        case
            when count(f.numerator) < any_value(w.window_min) or count(f.denominator) = 0 then null
            when any_value(w.window_agg) = 'sum' then sum(f.denominator)
            when any_value(w.window_agg) = 'mean' then sum(f.denominator) / count(f.denominator)
            else count(*) filter (where f.denominator <> 0)
        end as denominator,
        case
            when count(f.numerator) < any_value(w.window_min) then coalesce(max(f.any_rank), 11)
            else max(f.status_rank)
        end as status_rank,
        coalesce(bool_or(f.observed), false) as observed
    from in_window as w
    left join (
        select
            indicator,
            ref_area,
            time_period,
            sex,
            age,
            case when status_rank < 11 then numerator end as numerator,
            case when status_rank < 11 then denominator end as denominator,
            case when status_rank < 11 then status_rank end as status_rank,
            status_rank as any_rank,
            observed
        from formulas
        where window_years is not null
    ) as f
        on
            f.indicator = w.indicator
            and f.ref_area = w.ref_area
            and f.time_period = w.at_period
            and f.sex = w.sex
            and f.age = w.age
    group by w.indicator, w.ref_area, w.time_period, w.sex, w.age
),

values_at as (
    select indicator, ref_area, time_period, sex, age, numerator, denominator, own_value, status_rank, numerator_rank, observed
    from formulas
    where window_years is null and change_years is not null
    union all
    select
        indicator, ref_area, time_period, sex, age, numerator, denominator,
        cast(null as double) as own_value, status_rank, status_rank as numerator_rank, observed
    from windowed
),

-- a break between the two ends of a change: after the base, not after the row's period
broken as (
    select distinct
        p.indicator,
        p.time_period
    from {{ ref('int_indicator_periods') }} as p
    inner join windows_and_changes as i on i.indicator = p.indicator and i.change_years is not null
    inner join {{ ref('int_indicator_breaks') }} as x on x.indicator = p.indicator
    where
        x.first_day <= {{ first_day('p.time_period') }}
        and x.first_day > {{ first_day(years_before('p.time_period', 'i.change_years')) }}
),

compared as (
    select
        c.*,
        i.change_years,
        {{ years_before('c.time_period', 'i.change_years') }} as base_period
    from row_cells as c
    inner join windows_and_changes as i on i.indicator = c.indicator
)

select
    indicator,
    ref_area,
    level,
    time_period,
    sex,
    age,
    numerator,
    denominator,
    cast(null as double) as base_numerator,
    cast(null as double) as base_denominator,
    own_value,
    numerator_rank,
    status_rank as terms_rank,
    status_rank,
    observed
from formulas
where window_years is null and change_years is null
union all
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
    now.status_rank as terms_rank,
    -- both ends of a change must be there; a break between them marks the change
    greatest(
        now.status_rank,
        case when c.change_years is not null then coalesce(base.status_rank, 11) else 0 end,
        case when b.indicator is not null then 5 else 0 end
    ) as status_rank,
    now.observed
from compared as c
inner join values_at as now
    on
        now.indicator = c.indicator
        and now.ref_area = c.ref_area
        and now.time_period = c.time_period
        and now.sex = c.sex
        and now.age = c.age
left join values_at as base
    on
        base.indicator = c.indicator
        and base.ref_area = c.ref_area
        and base.time_period = c.base_period
        and base.sex = c.sex
        and base.age = c.age
left join broken as b on b.indicator = c.indicator and b.time_period = c.time_period
