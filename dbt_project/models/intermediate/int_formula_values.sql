-- grain: one row per indicator, area, period, sex and age: the formula over the area's own observations, before any window, change
-- or roll-up; also for the earlier periods that windows and changes read
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with areas as (
    -- every area at a level of the indicator, and every child of its roll-ups
    select
        p.indicator_key,
        p.period_key,
        a.area_key
    from {{ ref('int_indicator_periods') }} as p
    inner join {{ ref('int_valid_areas') }} as a on a.period_key = p.period_key
    left join {{ ref('int_indicator_levels') }} as il on il.indicator_key = p.indicator_key and il.level_position = a.level_position
    where {{ in_scope('p.indicator_key') }} and (il.level_position is not null or a.level_position = p.finest_position)
),

indicator_rows as (
    select
        a.indicator_key,
        a.area_key,
        a.period_key,
        s.breakdown_key
    from areas as a
    inner join {{ ref('int_indicator_splits') }} as s on s.indicator_key = a.indicator_key and s.period_key = a.period_key
),

-- the years that an indicator looks back: over its window, and again from the base of its change
offsets as (
    select
        i.indicator_key,
        w.years_back + b.years_to_base as years
    from {{ ref('stg_indicators') }} as i
    inner join {{ ref('int_window_years') }} as w on w.indicator_key = i.indicator_key
    inner join (
        select indicator_key, 0 as years_to_base from {{ ref('stg_indicators') }}
        union
        select indicator_key, change_years as years_to_base from {{ ref('stg_indicators') }} where change_years is not null
    ) as b on b.indicator_key = i.indicator_key
    where i.window_years is not null or i.change_years is not null
),

earlier_rows as (
    select distinct
        r.indicator_key,
        r.area_key,
        {{ key_years_before('r.period_key', 'o.years') }} as period_key,
        r.breakdown_key
    from indicator_rows as r
    inner join offsets as o on o.indicator_key = r.indicator_key
),

formula_cells as (
    select r.indicator_key, r.area_key, r.period_key, r.breakdown_key
    from indicator_rows as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = r.indicator_key
    where i.window_years is null and i.change_years is null
    union all
    select indicator_key, area_key, cast(period_key as integer) as period_key, breakdown_key from earlier_rows
),

-- the cell that each term reads: at the sex and age of the row, unless the term has its own
term_cells as (
    select
        c.indicator_key,
        c.area_key,
        c.period_key,
        c.breakdown_key,
        t.is_numerator,
        t.factor,
        t.measure_key,
        t.times_key,
        t.built_in,
        t.times_built_in,
        t.at_position,
        case when t.at_position is null then c.area_key else h.above_key end as measure_area,
        cast({{ key_years_before('c.period_key', 't.lag') }} as integer) as at_period,
        cast(
            coalesce(t.sex_code, {{ sex_of('c.breakdown_key') }}) + coalesce(t.age_code, {{ age_of('c.breakdown_key') }}) as integer
        ) as at_breakdown
    from formula_cells as c
    inner join {{ ref('int_terms') }} as t on t.indicator_key = c.indicator_key
    left join {{ ref('int_areas_above') }} as h
        on h.period_key = c.period_key and h.area_key = c.area_key and h.level_position = t.at_position
),

-- factors of products are rare: only these observations are joined a second time
multiplied as (
    select o.measure_key, o.area_key, o.period_key, o.breakdown_key, o.obs_value, o.status_rank
    from {{ ref('int_observations') }} as o
    inner join (
        select distinct times_key
        from {{ ref('int_terms') }}
        where times_key is not null and {{ in_scope('indicator_key') }}
    ) as t on t.times_key = o.measure_key
),

read_observations as (
    select measure_key, area_key, period_key, breakdown_key, obs_value, status_rank
    from {{ ref('int_observations') }}
    where measure_key in (select t.measure_key from {{ ref('int_terms') }} as t where {{ in_scope('t.indicator_key') }})
),

-- the number of areas that an area of today was in a period, by share
former_areas as (
    select
        period_key,
        area_key,
        {{ exact_sum('share * ' ~ scale_for('1'), scale_for('1')) }} as n_areas
    from {{ ref('int_area_origins') }}
    group by period_key, area_key
),

observed as (
    select
        w.*,
        o.obs_value,
        o.status_rank as obs_rank,
        p.obs_value as times_value,
        p.status_rank as times_rank,
        r.measure_key is not null as is_restated_product,
        r.obs_value as product_value,
        r.status_rank as product_rank,
        f.n_areas as n_former_areas,
        -- the measure if it has no observation, as a key to join its universe and the sources that are down
        case when o.measure_key is null then w.measure_key end as unobserved,
        case when p.measure_key is null then w.times_key end as times_unobserved
    from term_cells as w
    left join read_observations as o
        on
            o.measure_key = w.measure_key
            and o.area_key = w.measure_area
            and o.period_key = w.at_period
            and o.breakdown_key = w.at_breakdown
    left join multiplied as p
        on
            p.measure_key = w.times_key
            and p.area_key = w.area_key
            and p.period_key = w.at_period
            and p.breakdown_key = w.at_breakdown
    left join {{ ref('int_restated_products') }} as r
        on
            w.at_position is null
            and r.measure_key = w.measure_key
            and r.times_key = w.times_key
            and r.area_key = w.area_key
            and r.period_key = w.at_period
            and r.breakdown_key = w.at_breakdown
    left join former_areas as f on f.area_key = w.area_key and f.period_key = w.at_period
),

-- a missing part without a period can be of any period, so it stands for all of them
down as (
    select measure_key, max(case when period_key is null then 1 else 0 end) as is_any_period
    from ({{ measures_of_sources_down() }})
    group by measure_key
),

down_periods as (
    select distinct measure_key, period_key
    from ({{ measures_of_sources_down() }})
    where period_key is not null
),

terms as (
    select
        o.indicator_key,
        o.area_key,
        o.period_key,
        o.breakdown_key,
        o.is_numerator,
        {{ finite("o.factor
        * case
            when o.is_restated_product then o.product_value
            else case
                when o.obs_rank is not null then o.obs_value
                " ~ built_in_value('o.built_in', 'o.n_former_areas') ~ "
                when i.missing_zero and (o.is_numerator or m.is_counted) and u.measure_key is not null and d.measure_key is null and dp.measure_key is null then 0
            end
            * case
                when o.times_key is null then 1
                when o.times_rank is not null then o.times_value
                " ~ built_in_value('o.times_built_in', 'o.n_former_areas') ~ "
            end
        end") }} as term_value,
        case
            when o.is_restated_product then o.product_rank
            else greatest(
                    case
                        when o.obs_rank is not null then o.obs_rank
                        {{ built_in_rank('o.built_in', 'o.n_former_areas') }}
                        when d.measure_key is not null or dp.measure_key is not null then {{ rank_of('S') }}
                        when u.measure_key is not null and i.missing_zero and (o.is_numerator or m.is_counted) then {{ rank_of('A') }}
                        when u.measure_key is not null then {{ rank_of('M') }}
                        else {{ rank_of('O') }}
                    end,
                    case
                        when o.times_key is null then {{ rank_of('A') }}
                        when o.times_rank is not null then o.times_rank
                        {{ built_in_rank('o.times_built_in', 'o.n_former_areas') }}
                        when td.measure_key is not null or tdp.measure_key is not null then {{ rank_of('S') }}
                        when tu.measure_key is not null then {{ rank_of('M') }}
                        else {{ rank_of('O') }}
                    end
                )
        end as status_rank,
        -- what a level above has says nothing about the area itself
        (o.obs_rank is not null and (o.at_position is null or o.measure_area = o.area_key)) or o.times_rank is not null as observed
    from observed as o
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = o.indicator_key
    inner join {{ ref('dim_area') }} as a on a.area_key = o.area_key
    left join {{ ref('int_measure_universe') }} as u
        on u.measure_key = o.unobserved and u.area_key = o.measure_area and u.period_key = o.at_period
    left join ({{ measure_properties() }}) as m on m.measure_key = o.unobserved
    left join down as d on d.measure_key = o.unobserved and d.is_any_period = 1
    left join down_periods as dp on dp.measure_key = o.unobserved and dp.period_key = o.at_period
    left join {{ ref('int_measure_universe') }} as tu
        on tu.measure_key = o.times_unobserved and tu.area_key = o.area_key and tu.period_key = o.at_period
    left join down as td on td.measure_key = o.times_unobserved and td.is_any_period = 1
    left join down_periods as tdp on tdp.measure_key = o.times_unobserved and tdp.period_key = o.at_period
),

sums as (
    select
        t.indicator_key,
        t.area_key,
        t.period_key,
        t.breakdown_key,
        case
            when count(t.term_value) filter (where t.is_numerator) = count(*) filter (where t.is_numerator)
                then {{ exact_sum('case when t.is_numerator then t.term_value * s.term_scale end', 'max(s.term_scale)') }}
        end as numerator,
        case
            when count(t.term_value) filter (where not t.is_numerator) = count(*) filter (where not t.is_numerator)
                then {{ exact_sum('case when not t.is_numerator then t.term_value * s.denominator_scale end', 'max(s.denominator_scale)') }}
        end as denominator,
        max(t.status_rank) as status_rank,
        max(t.status_rank) filter (where t.is_numerator) as numerator_rank,
        bool_or(t.observed) as observed
    from terms as t
    inner join {{ ref('int_indicator_scales') }} as s on s.indicator_key = t.indicator_key
    group by t.indicator_key, t.area_key, t.period_key, t.breakdown_key
),

-- measures that an indicator reads at several distances: a break between them makes the terms differ
lags as (
    select
        indicator_key,
        measure_key,
        min(lag) as nearest,
        max(lag) as farthest
    from ({{ measures_of_terms() }})
    group by indicator_key, measure_key
    having min(lag) < max(lag)
),

breaks as (
    select distinct
        measure_key,
        {{ period_key('period') }} as period_key
    from {{ ref('stg_breaks') }}
),

formula_periods as (
    select indicator_key, period_key from {{ ref('int_indicator_periods') }}
    union
    select p.indicator_key, {{ key_years_before('p.period_key', 'o.years') }} as period_key
    from {{ ref('int_indicator_periods') }} as p
    inner join offsets as o on o.indicator_key = p.indicator_key
),

periods_of_lags as (
    select
        c.indicator_key,
        c.period_key,
        l.measure_key,
        {{ key_years_before('c.period_key', 'l.farthest') }} as farthest_period,
        {{ key_years_before('c.period_key', 'l.nearest') }} as nearest_period
    from formula_periods as c
    inner join lags as l on l.indicator_key = c.indicator_key
),

periods_with_break as (
    select distinct
        p.indicator_key,
        p.period_key
    from periods_of_lags as p
    inner join breaks as b on b.measure_key = p.measure_key
    where {{ is_break_between(first_day_number('b.period_key'), 'p.farthest_period', 'p.nearest_period') }}
)

select
    s.indicator_key,
    s.area_key,
    s.period_key,
    s.breakdown_key,
    s.numerator,
    s.denominator,
    cast(greatest(s.status_rank, {{ rank_if('b.indicator_key is not null', 'B') }}) as smallint) as status_rank,
    cast(s.numerator_rank as smallint) as numerator_rank,
    s.observed
from sums as s
left join periods_with_break as b on b.indicator_key = s.indicator_key and b.period_key = s.period_key
