-- grain: one indicator, area, period, sex and age for which the formula is computed from the area's own observations
-- (before any window, change or roll-up; also for the earlier periods that windows and changes look back to)
with offsets as (
    -- how many years back each indicator looks: over its window, and once more from the base of its change
    select
        i.indicator,
        w.back as years
    from {{ ref('stg_indicators') }} as i
    cross join lateral (select unnest(range(0, coalesce(i.window_years, 1))) as back) as w
    union
    select
        i.indicator,
        w.back + i.change_years as years
    from {{ ref('stg_indicators') }} as i
    cross join lateral (select unnest(range(0, coalesce(i.window_years, 1))) as back) as w
    where i.change_years is not null
),

areas as (
    -- every area at a level of the indicator, and every child of its roll-ups
    select
        p.indicator,
        p.time_period,
        a.ref_area
    from {{ ref('int_indicator_periods') }} as p
    inner join {{ ref('int_valid_areas') }} as a on a.time_period = p.time_period
    left join {{ ref('stg_indicator_levels') }} as il on il.indicator = p.indicator and il.level = a.level
    where il.level is not null or a.level = p.finest_level
),

cells as (
    select distinct
        a.indicator,
        a.ref_area,
        {{ years_before('a.time_period', 'o.years') }} as time_period,
        s.sex,
        s.age
    from areas as a
    inner join {{ ref('int_indicator_splits') }} as s on s.indicator = a.indicator and s.time_period = a.time_period
    inner join offsets as o on o.indicator = a.indicator
),

-- a term meets its measure at the row's sex and age, unless it has its own; `factor` and the product come later
wanted as (
    select
        c.indicator,
        c.ref_area,
        c.time_period,
        c.sex,
        c.age,
        t.side,
        t.position,
        t.factor,
        x.operand,
        x.measure,
        case when t.lag = 0 then c.time_period else {{ years_before('c.time_period', 't.lag') }} end as at_period,
        coalesce(t.sex, c.sex) as at_sex,
        coalesce(t.age, c.age) as at_age
    from cells as c
    inner join {{ ref('stg_terms') }} as t on t.indicator = c.indicator
    cross join lateral (
        select 'measure' as operand, t.measure as measure
        union all
        select 'times' as operand, t.times as measure where t.times is not null
    ) as x
),

met as (
    select
        w.indicator,
        w.ref_area,
        w.time_period,
        w.sex,
        w.age,
        w.side,
        w.position,
        w.factor,
        w.operand,
        case
            when w.measure = 'areas' then 1.0
            when w.measure = 'area_km2' then a.area_km2
            when o.measure is not null then o.obs_value
            when i.missing_zero and w.side = 'numerator' and w.operand = 'measure' and u.measure is not null and d.measure is null then 0.0
        end as operand_value,
        case
            when w.measure = 'areas' then 1
            when w.measure = 'area_km2' then case when a.area_km2 is null then 12 else 1 end
            when o.measure is not null then o.status_rank
            when d.measure is not null then 14
            when i.missing_zero and w.side = 'numerator' and w.operand = 'measure' and u.measure is not null then 1
            when u.measure is not null then 12
            else 11
        end as status_rank,
        o.measure is not null as observed
    from wanted as w
    inner join {{ ref('stg_indicators') }} as i on i.indicator = w.indicator
    inner join {{ ref('stg_areas') }} as a on a.ref_area = w.ref_area
    left join {{ ref('int_observations') }} as o
        on
            o.measure = w.measure
            and o.ref_area = w.ref_area
            and o.time_period = w.at_period
            and o.sex = w.at_sex
            and o.age = w.at_age
    left join {{ ref('int_measure_universe') }} as u
        on u.measure = w.measure and u.ref_area = w.ref_area and u.time_period = w.at_period
    left join (
        select distinct m.measure, d.time_period
        from {{ ref('stg_down') }} as d
        inner join {{ ref('stg_measures') }} as m on m.source = d.source
    ) as d on d.measure = w.measure and d.time_period = w.at_period
),

terms as (
    select
        indicator,
        ref_area,
        time_period,
        sex,
        age,
        side,
        position,
        any_value(factor)
        * max(operand_value) filter (where operand = 'measure')
        * coalesce(max(operand_value) filter (where operand = 'times'), case when count(*) = 1 then 1.0 end) as term_value,
        max(status_rank) as status_rank,
        bool_or(observed) as observed
    from met
    group by indicator, ref_area, time_period, sex, age, side, position
)

select
    indicator,
    ref_area,
    time_period,
    sex,
    age,
    case when count(term_value) filter (where side = 'numerator') = count(*) filter (where side = 'numerator')
        then sum(term_value order by position) filter (where side = 'numerator') end as numerator,
    case when count(term_value) filter (where side <> 'numerator') = count(*) filter (where side <> 'numerator')
        then sum(term_value order by position) filter (where side <> 'numerator') end as denominator,
    max(status_rank) as status_rank,
    max(status_rank) filter (where side = 'numerator') as numerator_rank,
    bool_or(observed) as observed
from terms
group by indicator, ref_area, time_period, sex, age
