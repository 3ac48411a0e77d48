-- grain: one indicator, area, period, sex and age for which the formula is computed from the area's own observations
-- (before any window, change or roll-up; also for the earlier periods that windows and changes look back to)
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

rows_wanted as (
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

-- how many years back an indicator looks: over its window, and once more from the base of its change
offsets as (
    select
        i.indicator,
        w.back + b.base as years
    from {{ ref('stg_indicators') }} as i
    cross join lateral (select unnest(range(0, coalesce(i.window_years, 1))) as back) as w
    cross join lateral (select unnest([0, coalesce(i.change_years, 0)]) as base) as b
    where i.window_years is not null or i.change_years is not null
),

looked_back as (
    select distinct
        r.indicator,
        r.ref_area,
        r.level,
        {{ years_before('r.time_period', 'o.years') }} as time_period,
        r.sex,
        r.age
    from rows_wanted as r
    inner join offsets as o on o.indicator = r.indicator
),

cells as (
    select r.indicator, r.ref_area, r.level, r.time_period, r.sex, r.age
    from rows_wanted as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator = r.indicator
    where i.window_years is null and i.change_years is null
    union all
    select indicator, ref_area, level, time_period, sex, age from looked_back
),

-- a term meets its measure at the row's sex and age, unless it has its own
wanted as (
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
    from cells as c
    inner join {{ ref('stg_terms') }} as t on t.indicator = c.indicator
),

observed as (
    select
        w.*,
        o.obs_value,
        o.status_rank as obs_rank,
        p.obs_value as times_value,
        p.status_rank as times_rank,
        -- what nothing was observed of; null asks for no universe
        case when o.measure is null then w.measure end as unobserved,
        case when p.measure is null then w.times end as times_unobserved
    from wanted as w
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
    -- without a period: which ones the source would have had, nobody knows; any may be among them
    select distinct
        m.measure,
        d.time_period
    from {{ ref('stg_down') }} as d
    inner join {{ ref('stg_measures') }} as m on m.source = d.source
    qualify d.time_period is null or not bool_or(d.time_period is null) over (partition by m.measure)
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
                when d.measure is not null then 14
                when u.measure is not null then case when i.missing_zero and o.side = 'numerator' then 1 else 12 end
                else 11
            end,
            case
                when o.times is null then 1
                when o.times_rank is not null then o.times_rank
                {{ built_in_rank('o.times') }}
                when td.measure is not null then 14
                when tu.measure is not null then 12
                else 11
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

-- terms of one measure on both sides of a break compare across it
lags as (
    select
        indicator,
        measure,
        min(lag) as nearest,
        max(lag) as farthest
    from (
        select indicator, measure, lag from {{ ref('stg_terms') }}
        union all
        select indicator, times as measure, lag from {{ ref('stg_terms') }} where times is not null
    ) as t
    group by indicator, measure
    having min(lag) < max(lag)
),

broken as (
    select distinct
        c.indicator,
        c.time_period
    from (select distinct indicator, time_period from cells) as c
    inner join lags as l on l.indicator = c.indicator
    inner join {{ ref('stg_breaks') }} as b on b.measure = l.measure
    where
        {{ first_day('b.period') }} <= {{ first_day(years_before('c.time_period', 'l.nearest')) }}
        and {{ first_day('b.period') }} > {{ first_day(years_before('c.time_period', 'l.farthest')) }}
)

select
    t.indicator,
    t.ref_area,
    any_value(level) as level,
    t.time_period,
    sex,
    age,
    case when count(term_value) filter (where side = 'numerator') = count(*) filter (where side = 'numerator')
        then sum(term_value) filter (where side = 'numerator') end as numerator,
    case when count(term_value) filter (where side <> 'numerator') = count(*) filter (where side <> 'numerator')
        then sum(term_value) filter (where side <> 'numerator') end as denominator,
    greatest(max(status_rank), case when any_value(b.indicator) is not null then 5 else 0 end) as status_rank,
    max(status_rank) filter (where side = 'numerator') as numerator_rank,
    bool_or(observed) as observed
from terms as t
left join broken as b on b.indicator = t.indicator and b.time_period = t.time_period
group by t.indicator, t.ref_area, t.time_period, sex, age
