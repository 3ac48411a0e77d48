-- grain: one row per indicator, area, period, sex and age: the formula over the area's own observations, before any window, change
-- or roll-up; also for the earlier periods that windows and changes read
with areas as (
    -- every area at a level of the indicator, and every child of its roll-ups
    select
        p.indicator,
        p.time_period,
        a.ref_area,
        a.level
    from {{ ref('int_indicator_periods') }} as p
    inner join {{ ref('int_valid_areas') }} as a on a.time_period = p.time_period
    left join {{ ref('stg_indicator_levels') }} as il on il.indicator = p.indicator and il.level = a.level
    where il.level is not null or a.level = p.finest_level
),

indicator_rows as (
    select
        a.indicator,
        a.ref_area,
        a.level,
        a.time_period,
        s.sex,
        s.age
    from areas as a
    inner join {{ ref('int_indicator_splits') }} as s on s.indicator = a.indicator and s.time_period = a.time_period
),

-- the years that an indicator looks back: over its window, and again from the base of its change
offsets as (
    select
        i.indicator,
        w.years_back + b.years_to_base as years
    from {{ ref('stg_indicators') }} as i
    cross join lateral (select unnest(range(0, coalesce(i.window_years, 1))) as years_back) as w
    cross join lateral (select unnest([0, coalesce(i.change_years, 0)]) as years_to_base) as b
    where i.window_years is not null or i.change_years is not null
),

earlier_rows as (
    select distinct
        r.indicator,
        r.ref_area,
        r.level,
        {{ years_before('r.time_period', 'o.years') }} as time_period,
        r.sex,
        r.age
    from indicator_rows as r
    inner join offsets as o on o.indicator = r.indicator
),

formula_cells as (
    select r.indicator, r.ref_area, r.level, r.time_period, r.sex, r.age
    from indicator_rows as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator = r.indicator
    where i.window_years is null and i.change_years is null
    union all
    select indicator, ref_area, level, time_period, sex, age from earlier_rows
),

-- the cell that each term reads: at the sex and age of the row, unless the term has its own
term_cells as (
    select
        c.indicator,
        c.ref_area,
        c.level,
        c.time_period,
        c.sex,
        c.age,
        t.side,
        t.factor,
        t.measure,
        t.times,
        case when t.lag = 0 then c.time_period else {{ years_before('c.time_period', 't.lag') }} end as at_period,
        coalesce(t.sex, c.sex) as at_sex,
        coalesce(t.age, c.age) as at_age
    from formula_cells as c
    inner join {{ ref('stg_terms') }} as t on t.indicator = c.indicator
),

observed as (
    select
        w.*,
        o.obs_value,
        o.status_rank as obs_rank,
        p.obs_value as times_value,
        p.status_rank as times_rank,
        -- the measure if it has no observation, as a key to join its universe and the sources that are down
        case when o.measure is null then w.measure end as unobserved,
        case when p.measure is null then w.times end as times_unobserved
    from term_cells as w
    left join {{ ref('int_observations') }} as o
        on
            o.measure = w.measure
            and o.ref_area = w.ref_area
            and o.time_period = w.at_period
            and o.sex = w.at_sex
            and o.age = w.at_age
    left join {{ ref('int_observations') }} as p
        on
            p.measure = w.times
            and p.ref_area = w.ref_area
            and p.time_period = w.at_period
            and p.sex = w.at_sex
            and p.age = w.at_age
),

down as (
    -- a missing part without a period can be of any period, so it stands for all of them
    select distinct
        measure,
        time_period
    from ({{ measures_of_sources_down() }})
    qualify time_period is null or not bool_or(time_period is null) over (partition by measure)
),

terms as (
    select
        o.indicator,
        o.ref_area,
        o.level,
        o.time_period,
        o.sex,
        o.age,
        o.side,
        o.factor
        * case
            when o.obs_rank is not null then o.obs_value
            {{ built_in_value('o.measure') }}
            when i.missing_zero and o.side = 'numerator' and u.measure is not null and d.measure is null then 0.0
        end
        * case
            when o.times is null then 1.0
            when o.times_rank is not null then o.times_value
            {{ built_in_value('o.times') }}
        end as term_value,
        greatest(
            case
                when o.obs_rank is not null then o.obs_rank
                {{ built_in_rank('o.measure') }}
                when d.measure is not null then {{ rank_of('S') }}
                when u.measure is not null and i.missing_zero and o.side = 'numerator' then {{ rank_of('A') }}
                when u.measure is not null then {{ rank_of('M') }}
                else {{ rank_of('O') }}
            end,
            case
                when o.times is null then {{ rank_of('A') }}
                when o.times_rank is not null then o.times_rank
                {{ built_in_rank('o.times') }}
                when td.measure is not null then {{ rank_of('S') }}
                when tu.measure is not null then {{ rank_of('M') }}
                else {{ rank_of('O') }}
            end
        ) as status_rank,
        o.obs_rank is not null or o.times_rank is not null as observed
    from observed as o
    inner join {{ ref('stg_indicators') }} as i on i.indicator = o.indicator
    inner join {{ ref('stg_areas') }} as a on a.ref_area = o.ref_area
    left join {{ ref('int_measure_universe') }} as u
        on u.measure = o.unobserved and u.ref_area = o.ref_area and u.time_period = o.at_period
    left join down as d on d.measure = o.unobserved and coalesce(d.time_period, o.at_period) = o.at_period
    left join {{ ref('int_measure_universe') }} as tu
        on tu.measure = o.times_unobserved and tu.ref_area = o.ref_area and tu.time_period = o.at_period
    left join down as td on td.measure = o.times_unobserved and coalesce(td.time_period, o.at_period) = o.at_period
),

-- measures that an indicator reads at several distances: a break between them makes the terms differ
lags as (
    select
        indicator,
        measure,
        min(lag) as nearest,
        max(lag) as farthest
    from ({{ measures_of_terms() }})
    group by indicator, measure
    having min(lag) < max(lag)
),

periods_with_break as (
    select distinct
        c.indicator,
        c.time_period
    from (select distinct indicator, time_period from formula_cells) as c
    inner join lags as l on l.indicator = c.indicator
    inner join {{ ref('stg_breaks') }} as b on b.measure = l.measure
    where
        {{ is_break_between(first_day('b.period'), years_before('c.time_period', 'l.farthest'), years_before('c.time_period', 'l.nearest')) }}
)

select
    t.indicator,
    t.ref_area,
    any_value(t.level) as level,
    t.time_period,
    t.sex,
    t.age,
    case
        when count(t.term_value) filter (where t.side = 'numerator') = count(*) filter (where t.side = 'numerator')
            then sum(t.term_value) filter (where t.side = 'numerator')
    end as numerator,
    case
        when count(t.term_value) filter (where t.side <> 'numerator') = count(*) filter (where t.side <> 'numerator')
            then sum(t.term_value) filter (where t.side <> 'numerator')
    end as denominator,
    greatest(max(t.status_rank), {{ rank_if('any_value(b.indicator) is not null', 'B') }}) as status_rank,
    max(t.status_rank) filter (where t.side = 'numerator') as numerator_rank,
    bool_or(t.observed) as observed
from terms as t
left join periods_with_break as b on b.indicator = t.indicator and b.time_period = t.time_period
group by t.indicator, t.ref_area, t.time_period, t.sex, t.age
