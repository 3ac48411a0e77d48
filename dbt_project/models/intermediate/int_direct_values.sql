-- grain: one row per indicator, area, period, sex and age, from the area's own observations, with windows and base periods
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with formulas as (
    select
        f.indicator_key,
        f.area_key,
        f.period_key,
        f.breakdown_key,
        case when i.value_weighted then {{ finite('f.numerator * f.denominator') }} else f.numerator end as numerator,
        f.denominator,
        f.numerator as own_value,
        f.status_rank,
        f.numerator_rank,
        f.observed,
        i.window_years,
        i.change_years
    from {{ ref('int_formula_values') }} as f
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = f.indicator_key
    where {{ in_scope('f.indicator_key') }}
),

-- indicators that read several periods
windows_and_changes as (
    select
        indicator_key,
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
        f.indicator_key,
        f.area_key,
        f.period_key,
        f.breakdown_key
    from formulas as f
    inner join windows_and_changes as i on i.indicator_key = f.indicator_key
    inner join {{ ref('int_indicator_periods') }} as p on p.indicator_key = f.indicator_key and p.period_key = f.period_key
    inner join {{ ref('int_valid_areas') }} as a on a.period_key = f.period_key and a.area_key = f.area_key
),

-- windows are needed at the row's own period and at the base of its change
end_offsets as (
    select indicator_key, 0 as years from windows_and_changes
    union
    select indicator_key, change_years as years from windows_and_changes where change_years is not null
),

window_ends as (
    select distinct
        c.indicator_key,
        c.area_key,
        {{ key_years_before('c.period_key', 'e.years') }} as period_key,
        c.breakdown_key
    from row_cells as c
    inner join end_offsets as e on e.indicator_key = c.indicator_key
),

-- a window ends at the row's period
window_periods as (
    select
        e.indicator_key,
        e.area_key,
        e.period_key,
        e.breakdown_key,
        w.window_agg,
        w.window_min,
        {{ key_years_before('e.period_key', 'b.years_back') }} as at_period
    from window_ends as e
    inner join windows_and_changes as w on w.indicator_key = e.indicator_key and w.window_years is not null
    inner join {{ ref('int_window_years') }} as b on b.indicator_key = e.indicator_key
),

-- a year of the window counts if its whole formula has a value
year_values as (
    select
        indicator_key,
        area_key,
        period_key,
        breakdown_key,
        case when {{ has_value('status_rank') }} then numerator end as numerator,
        case when {{ has_value('status_rank') }} then denominator end as denominator,
        case when {{ has_value('status_rank') }} then status_rank end as status_rank,
        status_rank as any_rank,
        observed
    from formulas
    where window_years is not null
),

window_sums as (
    select
        w.indicator_key,
        w.area_key,
        w.period_key,
        w.breakdown_key,
        max(w.window_agg) as window_agg,
        max(w.window_min) as window_min,
        count(f.numerator) as n_numerators,
        count(f.denominator) as n_denominators,
        {{ exact_sum('f.numerator * s.numerator_scale', 'max(s.numerator_scale)') }} as numerator,
        {{ exact_sum('f.denominator * s.denominator_scale', 'max(s.denominator_scale)') }} as denominator,
        count(*) filter (where f.numerator <> 0) as nonzero_numerators,
        count(*) filter (where f.denominator <> 0) as nonzero_denominators,
        max(f.any_rank) as any_rank,
        max(f.status_rank) as status_rank,
        coalesce(bool_or(f.observed), false) as observed
    from window_periods as w
    inner join {{ ref('int_indicator_scales') }} as s on s.indicator_key = w.indicator_key
    left join year_values as f
        on
            f.indicator_key = w.indicator_key
            and f.area_key = w.area_key
            and f.period_key = w.at_period
            and f.breakdown_key = w.breakdown_key
    group by w.indicator_key, w.area_key, w.period_key, w.breakdown_key
),

windowed as (
    select
        indicator_key,
        area_key,
        period_key,
        breakdown_key,
        case
            when n_numerators < window_min then null
            when window_agg = 'sum' then numerator
            when window_agg = 'mean' then numerator / n_numerators
            else nonzero_numerators
        end as numerator,
        case
            when n_numerators < window_min or n_denominators = 0 then null
            when window_agg = 'sum' then denominator
            when window_agg = 'mean' then denominator / n_denominators
            else nonzero_denominators
        end as denominator,
        case
            when n_numerators < window_min then coalesce(any_rank, {{ rank_of('O') }})
            else status_rank
        end as status_rank,
        observed
    from window_sums
),

values_by_period as (
    select indicator_key, area_key, period_key, breakdown_key, numerator, denominator, own_value, status_rank, numerator_rank, observed
    from formulas
    where window_years is null and change_years is not null
    union all
    select
        indicator_key, area_key, period_key, breakdown_key, numerator, denominator,
        cast(null as double) as own_value, status_rank, status_rank as numerator_rank, observed
    from windowed
),

change_spans as (
    select
        p.indicator_key,
        {{ key_years_before('p.period_key', 'i.change_years') }} as base_period,
        p.period_key
    from {{ ref('int_indicator_periods') }} as p
    inner join windows_and_changes as i on i.indicator_key = p.indicator_key and i.change_years is not null
),

spans_with_break as (
    {{ spans_with_break('change_spans', 'base_period', 'period_key') }}
),

rows_with_base as (
    select
        c.indicator_key,
        c.area_key,
        c.period_key,
        c.breakdown_key,
        i.change_years,
        {{ key_years_before('c.period_key', 'i.change_years') }} as base_period
    from row_cells as c
    inner join windows_and_changes as i on i.indicator_key = c.indicator_key
),

all_values as (
    select
        indicator_key,
        area_key,
        period_key,
        breakdown_key,
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
        c.indicator_key,
        c.area_key,
        c.period_key,
        c.breakdown_key,
        current_value.numerator,
        current_value.denominator,
        base_value.numerator as base_numerator,
        base_value.denominator as base_denominator,
        current_value.own_value,
        cast(current_value.numerator_rank as smallint) as numerator_rank,
        cast(current_value.status_rank as smallint) as terms_rank,
        -- a change needs a value at both ends; a break between them marks the change
        cast(
            greatest(
                current_value.status_rank,
                case when c.change_years is not null then coalesce(base_value.status_rank, {{ rank_of('O') }}) else {{ no_rank() }} end,
                {{ rank_if('b.indicator_key is not null', 'B') }}
            ) as smallint
        ) as status_rank,
        current_value.observed
    from rows_with_base as c
    inner join values_by_period as current_value
        on
            {{ is_same_cell('current_value', 'c') }}
    left join values_by_period as base_value
        on
            base_value.indicator_key = c.indicator_key
            and base_value.area_key = c.area_key
            and base_value.period_key = c.base_period
            and base_value.breakdown_key = c.breakdown_key
    left join spans_with_break as b on b.indicator_key = c.indicator_key and b.period_key = c.period_key
),

-- the indicator whose values are compared with a threshold, as the macro of the value reads it
indicators_of_values as (
    select
        indicator_key,
        value_multiplier as multiplier,
        value_has_denominator as has_denominator,
        value_change_kind as change_kind,
        share_below,
        share_above,
        case when share_by_weight then weight_key end as weight_key
    from {{ ref('stg_indicators') }}
    where is_share
),

shares as (
    select
        d.indicator_key,
        d.area_key,
        d.period_key,
        d.breakdown_key,
        {{ finite(indicator_value('d')) }} as area_value,
        i.share_below,
        i.share_above,
        case when i.weight_key is not null then w.weight else 1 end as weight,
        greatest(
            d.status_rank, {{ rank_if('i.weight_key is not null and w.weight is null', 'M') }}
        ) as status_rank
    from all_values as d
    inner join indicators_of_values as i on i.indicator_key = d.indicator_key
    left join {{ ref('int_area_weights') }} as w
        on w.weight_key = i.weight_key and w.area_key = d.area_key and w.period_key = d.period_key
)

select
    indicator_key,
    area_key,
    period_key,
    breakdown_key,
    numerator,
    denominator,
    base_numerator,
    base_denominator,
    own_value,
    numerator_rank,
    terms_rank,
    status_rank,
    observed
from all_values
where indicator_key not in (select indicator_key from indicators_of_values)
union all
-- an area without a value that is defined is in neither; a parent's own value says nothing about the areas below it
select
    indicator_key,
    area_key,
    period_key,
    breakdown_key,
    case
        when {{ lacks_value('status_rank') }} then null
        when area_value < share_below or area_value > share_above then cast(weight as double)
        else 0
    end as numerator,
    case when {{ has_value('status_rank') }} then case when area_value is null then 0 else cast(weight as double) end end as denominator,
    cast(null as double) as base_numerator,
    cast(null as double) as base_denominator,
    cast(null as double) as own_value,
    cast(status_rank as smallint) as numerator_rank,
    cast(status_rank as smallint) as terms_rank,
    cast(status_rank as smallint) as status_rank,
    false as observed
from shares
