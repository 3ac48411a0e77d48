-- grain: one row per indicator, sex, span of periods, area above and area below it: the values at both ends, null where missing
with published as (
    select
        indicator,
        level,
        ref_area,
        time_period,
        sex,
        obs_value,
        {{ status_rank('obs_status') }} as status_rank,
        {{ first_day('time_period') }} as first_day
    from {{ ref('int_indicator_cells') }}
    where obs_value is not null and age = '_T'
),

series as (
    select
        indicator,
        level,
        sex,
        min_by(time_period, first_day) as first_period,
        max_by(time_period, first_day) as last_period
    from published
    group by indicator, level, sex
),

-- the spans that an indicator declares; without any, the first and the last period in which the level has values
declared_or_full_spans as (
    select s.indicator, s.level, s.sex, d.first_period, d.last_period
    from series as s
    inner join {{ ref('stg_convergence_spans') }} as d on d.indicator = s.indicator
    union all
    select indicator, level, sex, first_period, last_period
    from series
    where first_period <> last_period and indicator not in (select indicator from {{ ref('stg_convergence_spans') }})
),

spans as (
    select
        *,
        {{ years_between('first_period', 'last_period') }} as years
    from declared_or_full_spans
),

-- the territory of the last period
compared_areas as (
    select
        s.indicator,
        s.years,
        t.ancestor as within,
        s.level as of_level,
        s.first_period,
        s.last_period,
        s.sex,
        t.ref_area
    from spans as s
    inner join {{ ref('int_area_tree') }} as t on t.time_period = s.last_period and t.level = s.level
)

select
    p.indicator,
    p.within,
    p.of_level,
    p.first_period,
    p.last_period,
    p.years,
    p.sex,
    p.ref_area,
    a.obs_value as first_value,
    b.obs_value as last_value,
    greatest(a.status_rank, b.status_rank) as status_rank
from compared_areas as p
left join published as a
    on a.indicator = p.indicator and a.ref_area = p.ref_area and a.time_period = p.first_period and a.sex = p.sex
left join published as b
    on b.indicator = p.indicator and b.ref_area = p.ref_area and b.time_period = p.last_period and b.sex = p.sex
