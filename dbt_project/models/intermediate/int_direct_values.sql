-- grain: one row per indicator, area, period, sex and age, from the area's own observations, with windows and base periods
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

-- indicators that read several periods
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

-- their published rows: fewer than the rows of formulas, which also cover the earlier periods
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

-- windows are needed at the row's own period and at the base of its change
end_offsets as (
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
    inner join end_offsets as e on e.indicator = c.indicator
),

-- a window ends at the row's period
window_periods as (
    select
        e.indicator,
        e.ref_area,
        e.time_period,
        e.sex,
        e.age,
        w.window_agg,
        w.window_min,
        {{ years_before('e.time_period', 'b.years_back') }} as at_period
    from window_ends as e
    inner join windows_and_changes as w on w.indicator = e.indicator and w.window_years is not null
    cross join lateral (select unnest(range(0, w.window_years)) as years_back) as b
),

-- a year of the window counts if its whole formula has a value
year_values as (
    select
        indicator,
        ref_area,
        time_period,
        sex,
        age,
        case when {{ has_value('status_rank') }} then numerator end as numerator,
        case when {{ has_value('status_rank') }} then denominator end as denominator,
        case when {{ has_value('status_rank') }} then status_rank end as status_rank,
        status_rank as any_rank,
        observed
    from formulas
    where window_years is not null
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
            when count(f.numerator) < any_value(w.window_min) then coalesce(max(f.any_rank), {{ rank_of('O') }})
            else max(f.status_rank)
        end as status_rank,
        coalesce(bool_or(f.observed), false) as observed
    from window_periods as w
    left join year_values as f
        on
            f.indicator = w.indicator
            and f.ref_area = w.ref_area
            and f.time_period = w.at_period
            and f.sex = w.sex
            and f.age = w.age
    group by w.indicator, w.ref_area, w.time_period, w.sex, w.age
),

values_by_period as (
    select indicator, ref_area, time_period, sex, age, numerator, denominator, own_value, status_rank, numerator_rank, observed
    from formulas
    where window_years is null and change_years is not null
    union all
    select
        indicator, ref_area, time_period, sex, age, numerator, denominator,
        cast(null as double) as own_value, status_rank, status_rank as numerator_rank, observed
    from windowed
),

change_spans as (
    select
        p.indicator,
        {{ years_before('p.time_period', 'i.change_years') }} as base_period,
        p.time_period
    from {{ ref('int_indicator_periods') }} as p
    inner join windows_and_changes as i on i.indicator = p.indicator and i.change_years is not null
),

spans_with_break as (
    {{ spans_with_break('change_spans', 'base_period', 'time_period') }}
),

rows_with_base as (
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
    current_value.numerator,
    current_value.denominator,
    base_value.numerator as base_numerator,
    base_value.denominator as base_denominator,
    current_value.own_value,
    current_value.numerator_rank,
    current_value.status_rank as terms_rank,
    -- a change needs a value at both ends; a break between them marks the change
    greatest(
        current_value.status_rank,
        case when c.change_years is not null then coalesce(base_value.status_rank, {{ rank_of('O') }}) else {{ no_rank() }} end,
        {{ rank_if('b.indicator is not null', 'B') }}
    ) as status_rank,
    current_value.observed
from rows_with_base as c
inner join values_by_period as current_value
    on
        {{ is_same_cell('current_value', 'c') }}
left join values_by_period as base_value
    on
        base_value.indicator = c.indicator
        and base_value.ref_area = c.ref_area
        and base_value.time_period = c.base_period
        and base_value.sex = c.sex
        and base_value.age = c.age
left join spans_with_break as b on b.indicator = c.indicator and b.time_period = c.time_period
