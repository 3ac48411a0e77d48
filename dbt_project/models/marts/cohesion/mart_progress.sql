-- grain: one indicator with a direction, area and sex: how fast it grew, against the growth that its target or its direction asks for
{%- set target_year = 2030 %}
{%- set no_zero = 0.001 %}
with ends as (
    select
        s.indicator,
        c.ref_area,
        s.sex,
        s.base_period,
        s.last_period,
        i.direction,
        i.target_value,
        b.obs_value as base_value,
        c.obs_value as last_value,
        b.obs_status as base_status,
        c.obs_status as last_status,
        {{ years_between('s.base_period', 's.last_period') }} as years,
        {{ target_year }} - cast(left(s.base_period, 4) as integer) as years_to_target
    from {{ ref('int_progress_spans') }} as s
    inner join {{ ref('stg_indicators') }} as i on i.indicator = s.indicator
    inner join {{ ref('int_indicator_cells') }} as c
        on c.indicator = s.indicator and c.level = s.level and c.sex = s.sex and c.time_period = s.last_period and c.age = '_T'
    left join {{ ref('int_indicator_cells') }} as b
        on b.indicator = s.indicator and b.ref_area = c.ref_area and b.sex = s.sex and b.time_period = s.base_period and b.age = '_T'
),

-- a target to be met, not passed: a value beyond it is as far as one before it, as ratios go
folded as (
    select
        *,
        {% for value in ['base_value', 'last_value'] -%}
        case
            when direction = 'target' and target_value = 0 then abs({{ value }})
            when direction = 'target' and {{ value }} / target_value > 1 then target_value * target_value / {{ value }}
            else {{ value }}
        end as {{ value.replace('value', 'folded') }},
        {% endfor -%}
        -- an exponential model has no zero
        case when target_value = 0 then {{ no_zero }} else target_value end as target
    from ends
),

models as (
    select
        *,
        case when base_folded = 0 then {{ no_zero }} else base_folded end as base,
        case when base_folded < 0 then -1 else 1 end as sign,
        -- towards a target to be met, folded values grow away from zero, unless it is zero
        case
            when direction = 'lower_better' then -1
            when direction = 'target' and target_value <= 0 then -1
            else 1
        end as way
    from folded
),

growths as (
    select
        *,
        case when last_folded / base >= 0 then {{ finite('pow(last_folded / base, 1.0 / years) - 1') }} end as growth,
        case when years_to_target > 0 and target / base > 0 then {{ finite('pow(target / base, 1.0 / years_to_target) - 1') }} end as growth_required,
        coalesce(
            case direction
                when 'higher_better' then last_value >= target_value
                when 'lower_better' then last_value <= target_value
                else abs(last_value - target_value) <= 1e-9 * greatest(abs(target_value), 1e-300)
            end,
            false
        ) as is_achieved
    from models
),

measured as (
    select
        *,
        case
            when target_value is null then sign * way * growth
            -- at the target from the start: any way off it is the wrong one
            when growth_required = 0 then '-infinity'::double
            when growth_required <> 0 then sign * way * growth / abs(growth_required)
        end as pace
    from growths
),

scored as (
    select
        *,
        case
            when base_value is null or last_value is null then null
            when is_achieved then 5.0
            when pace is null then null
            -- piecewise linear through the borders of the classes
            when target_value is not null and pace < 0.6 then greatest((pace - 0.6) * 5 / 1.2, -5.0)
            when target_value is not null then least((pace - 0.6) * 5 / 0.7, 5.0)
            when pace < 0 then greatest(125 * pace - 2.5, -5.0)
            when pace < 0.005 then 500 * pace - 2.5
            when pace < 0.015 then 250 * pace - 1.25
            else least(500 * pace - 5, 5.0)
        end as score,
        case
            when base_value is null or last_value is null then null
            when is_achieved then 'target_achieved'
            when pace >= case when target_value is null then 0.015 else 0.95 end then 'substantial_progress'
            when pace >= case when target_value is null then 0.005 else 0.6 end then 'moderate_progress'
            when pace >= 0 then 'limited_progress'
            when pace < 0 then 'deterioration'
        end as progress,
        greatest(coalesce({{ status_rank('base_status') }}, 0), coalesce({{ status_rank('last_status') }}, 0)) as status_rank
    from measured
),

broken as (
    select distinct
        s.indicator,
        s.base_period,
        s.last_period
    from {{ ref('int_progress_spans') }} as s
    inner join {{ ref('int_indicator_breaks') }} as b
        on
            b.indicator = s.indicator
            and b.first_day > {{ first_day('s.base_period') }}
            and b.first_day <= {{ first_day('s.last_period') }}
)

select
    s.indicator,
    s.ref_area,
    s.sex,
    s.base_period,
    s.last_period,
    s.growth,
    s.growth_required,
    s.score,
    s.progress,
    case
        -- an area that was not there in the base period has no value in it
        when s.base_status is null and s.status_rank <= 10 then 'O'
        when s.status_rank > 10 then {{ rank_status('s.status_rank') }}
        when s.base_status = 'L' or s.last_status = 'L' then 'L'
        when s.progress is null then 'Z'
        when b.indicator is not null then 'B'
        else {{ rank_status('s.status_rank') }}
    end as obs_status
from scored as s
left join broken as b on b.indicator = s.indicator and b.base_period = s.base_period and b.last_period = s.last_period
