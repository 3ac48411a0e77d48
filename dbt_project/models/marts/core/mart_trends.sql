-- grain: one row per indicator with intervals and several periods, area, sex and age group: the slope over the last five periods
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
{%- set points = range(1, 6) %}
with cells as (
    select
        c.*,
        i.interval_kind <> 'mean' and c.denominator < {{ var('min_denominator_compared') }} as is_too_few,
        {{ first_day_number('c.period_key') }} as day_number,
        v.upper_95 - v.lower_95 as width
    from {{ ref('int_intervals') }} as v
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = v.indicator_key
    inner join {{ ref('int_indicator_cells') }} as c on {{ is_same_cell('c', 'v') }}
    -- values of overlapping windows are not independent
    where i.window_years is null and {{ in_scope('v.indicator_key') }}
),

periods as (
    select
        indicator_key,
        level_position,
        breakdown_key,
        period_key,
        day_number,
        dense_rank() over (partition by indicator_key, level_position, breakdown_key order by day_number desc, period_key desc) as from_last
    from (
        select distinct indicator_key, level_position, breakdown_key, period_key, day_number
        from cells
        where obs_value is not null
    ) as with_values
),

-- point 5 is the last period
spans as (
    select
        indicator_key,
        level_position,
        breakdown_key,
        min(period_key) as first_period,
        max(period_key) as last_period,
        {% for point in points -%}
        max(case when from_last = {{ 6 - point }} then period_key end) as period_{{ point }},
        {% endfor -%}
        count(*) as n_periods
    from periods
    where from_last <= 5
    group by indicator_key, level_position, breakdown_key
),

timed as (
    select
        *,
        {% for point in points -%}
        {{ years_between('period_3', 'period_' ~ point) }} as x_{{ point }},
        {% endfor -%}
        {{ years_between('period_1', 'period_2') }} as step
    from spans
    where n_periods > 1
),

spans_with_break as (
    {{ spans_with_break('timed', 'first_period', 'last_period') }}
),

even_spans as (
    select
        t.*,
        {{ has_equal_steps(points) }} and b.indicator_key is null as is_even
    from timed as t
    left join spans_with_break as b
        on b.indicator_key = t.indicator_key and b.first_period = t.first_period and b.last_period = t.last_period
),

places as (
    select
        t.indicator_key,
        c.area_key,
        t.level_position,
        t.breakdown_key,
        t.first_period,
        t.last_period,
        {% for point in points -%}
        max(t.x_{{ point }}) as x_{{ point }},
        max(case when c.period_key = t.period_{{ point }} then c.obs_value end) as value_{{ point }},
        -- the inverse of the squared standard error
        max(case when c.period_key = t.period_{{ point }} and c.width > 0 then 1 / power(c.width / 3.92, 2) end) as weight_{{ point }},
        {% endfor -%}
        count(c.obs_value) as points,
        not coalesce(bool_or(c.is_too_few), false)
        and bool_and(coalesce(t.is_even, false) and (c.obs_status <> 'B' or c.period_key = t.first_period)) as is_even
    from even_spans as t
    inner join cells as c
        on
            c.indicator_key = t.indicator_key
            and c.level_position = t.level_position
            and c.breakdown_key = t.breakdown_key
            and c.day_number >= {{ first_day_number('t.first_period') }}
    group by t.indicator_key, c.area_key, t.level_position, t.breakdown_key, t.first_period, t.last_period
),

-- values less the third one, so that large numbers keep their digits
centred as (
    select
        *,
        {% for point in points -%}
        value_{{ point }} - value_3 as y_{{ point }},
        {% endfor -%}
        is_even and points = 5 and {{ weighted_sum(points) }} is not null as is_assessed
    from places
),

slopes as (
    select
        *,
        {{ weighted_slope(points) }} as slope,
        {{ weighted_squares(points) }} as squares,
        {{ slope_without_one_point('least', points) }} as lowest_slope,
        {{ slope_without_one_point('greatest', points) }} as highest_slope
    from centred
),

tested as (
    select
        *,
        case when is_assessed then slope end as assessed_slope,
        case when is_assessed then slope * slope * squares end as chi2,
        case
            when not is_assessed then 'not assessed'
            when slope * slope * squares <= {{ var('trend_chi2') }} then 'no significant change'
            when slope > 0 and lowest_slope > 0 then 'increasing'
            when slope < 0 and highest_slope < 0 then 'decreasing'
            else 'no significant change'
        end as trend
    from slopes
)

select
    i.indicator,
    a.ref_area,
    x.sex,
    x.age,
    p.time_period as first_period,
    q.time_period as last_period,
    t.points,
    t.assessed_slope as slope,
    t.chi2,
    t.trend,
    case
        when t.trend not in ('increasing', 'decreasing') or i.direction = 'none' then ''
        when i.direction = 'target' and abs(t.value_5 - i.target_value) = abs(t.value_1 - i.target_value) then ''
        when i.direction = 'target' then case when abs(t.value_5 - i.target_value) < abs(t.value_1 - i.target_value) then 'better' else 'worse' end
        when (t.trend = 'increasing') = (i.direction = 'higher_better') then 'better'
        else 'worse'
    end as direction
from tested as t
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = t.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = t.area_key
inner join {{ ref('dim_period') }} as p on p.period_key = t.first_period
inner join {{ ref('dim_period') }} as q on q.period_key = t.last_period
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = t.breakdown_key
