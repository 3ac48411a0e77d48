-- grain: one row per indicator and period in which a measure of its numerator has an observation or a quarantined row, or a source is down;
-- from the first period on in which all that lags, windows and changes read can exist
with numerators as (
    -- a measure that is taken at a level above says nothing about the finest level
    select distinct
        indicator_key,
        coalesce(counted_key, measure_key) as measure_key,
        counted_key is not null as has_level
    from {{ ref('int_terms') }}
    where is_numerator
),

-- the finest level at which a measure has data in a period
measure_periods as (
    select
        o.measure_key,
        o.period_key,
        min(a.level_position) as finest_position
    from {{ ref('int_source_observations') }} as o
    inner join {{ ref('dim_area') }} as a on a.area_key = o.area_key
    group by o.measure_key, o.period_key
),

-- a quarantined row of an unknown area has no level
rows_without_area as (
    select distinct
        m.measure_key,
        {{ key_of_longer(period_key('o.time_period'), 'm.to_period') }} as period_key,
        cast(null as smallint) as finest_position
    from {{ ref('stg_observations') }} as o
    inner join {{ ref('stg_measures') }} as m on m.measure = o.measure and m.source = o.source
    where o.ref_area is null
),

down as (
    select
        measure_key,
        period_key,
        cast(null as smallint) as finest_position
    from ({{ measures_of_sources_down() }})
    where period_key is not null
),

periods_of_measures as (
    select measure_key, period_key, finest_position from measure_periods
    union all
    select measure_key, period_key, finest_position from rows_without_area
    union all
    select measure_key, period_key, finest_position from down
),

periods as (
    select
        n.indicator_key,
        p.period_key,
        min(case when n.has_level then p.finest_position end) as finest_position
    from numerators as n
    inner join periods_of_measures as p on p.measure_key = n.measure_key
    group by n.indicator_key, p.period_key
),

-- periods without any data use the finest level that the indicator declares
declared_levels as (
    select
        indicator_key,
        min(level_position) as finest_position
    from {{ ref('int_indicator_levels') }}
    group by indicator_key
),

-- what an indicator reads of a measure in years before that of its row
terms as (
    select indicator_key, lag, measure_key from {{ ref('int_terms') }} where built_in is null
    union
    select indicator_key, lag, times_key as measure_key from {{ ref('int_terms') }} where times_key is not null and times_built_in is null
),

read_years as (
    select
        t.indicator_key,
        t.measure_key,
        y.years_to_base,
        y.years_back,
        t.lag + y.years_to_base + y.years_back as years_before
    from terms as t
    inner join ({{ years_to_terms() }}) as y on y.indicator_key = t.indicator_key
),

earlier_years as (
    select *
    from read_years
    where years_before > 0
),

read_periods as (
    select
        p.indicator_key,
        p.period_key,
        r.measure_key,
        r.years_to_base,
        r.years_back,
        {{ key_years_before('p.period_key', 'r.years_before') }} as at_period
    from periods as p
    inner join earlier_years as r on r.indicator_key = p.indicator_key
),

-- the periods in which a cell of a measure can be there, or be missing for a reason
reported_periods as (
    select measure_key, period_key from periods_of_measures
    union
    select measure_key, period_key from {{ ref('int_measure_universe') }} where measure_key in (select measure_key from earlier_years)
),

-- a missing part without a period can be of any period
down_in_any_period as (
    select distinct measure_key
    from ({{ measures_of_sources_down() }})
    where period_key is null
),

-- years of a window, or single years, for which something that they read does not exist
missing_years as (
    select
        r.indicator_key,
        r.period_key,
        r.years_to_base,
        count(distinct r.years_back) as n_missing
    from read_periods as r
    left join reported_periods as m on m.measure_key = r.measure_key and m.period_key = r.at_period
    left join down_in_any_period as d on d.measure_key = r.measure_key
    where m.measure_key is null and d.measure_key is null
    group by r.indicator_key, r.period_key, r.years_to_base
),

impossible_periods as (
    select distinct
        y.indicator_key,
        y.period_key
    from missing_years as y
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = y.indicator_key
    where y.n_missing > coalesce(i.window_years, 1) - coalesce(i.window_min, 1)
),

first_days as (
    select
        p.indicator_key,
        min({{ first_day_number('p.period_key') }}) as first_day
    from periods as p
    left join impossible_periods as n on n.indicator_key = p.indicator_key and n.period_key = p.period_key
    where n.indicator_key is null
    group by p.indicator_key
)

select
    p.indicator_key,
    p.period_key,
    cast(coalesce(p.finest_position, d.finest_position) as smallint) as finest_position
from periods as p
inner join declared_levels as d on d.indicator_key = p.indicator_key
inner join first_days as f on f.indicator_key = p.indicator_key
where {{ first_day_number('p.period_key') }} >= f.first_day
