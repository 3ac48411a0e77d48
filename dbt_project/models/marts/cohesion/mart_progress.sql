-- grain: one row per indicator with a direction, area and sex: its growth, compared with the growth that its target or direction requires,
-- or the reason why that says nothing
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
{%- set progress = var('progress') %}
{%- set best = progress.best_score %}
{%- set to_target = progress.with_target %}
{%- set free = progress.without_target %}
with spans_with_break as (
    {{ spans_with_break(ref('int_progress_spans'), 'base_period', 'last_period') }}
),

values_at_ends as (
    select
        s.indicator_key,
        c.area_key,
        s.breakdown_key,
        s.base_period,
        s.last_period,
        i.direction,
        i.target_value,
        i.is_change,
        -- a part of a whole cannot be more than all of it
        case when i.interval_kind = 'proportion' and i.direction = 'higher_better' then i.multiplier end as limit_value,
        k.indicator_key is not null as has_break,
        b.obs_value as base_value,
        c.obs_value as last_value,
        b.obs_status as base_status,
        c.obs_status as last_status,
        {{ years_between('s.base_period', 's.last_period') }} as years,
        {{ progress.target_year }} - {{ year_of('s.base_period') }} as years_to_target
    from {{ ref('int_progress_spans') }} as s
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = s.indicator_key
    inner join {{ ref('int_indicator_cells') }} as c
        on
            c.indicator_key = s.indicator_key
            and c.level_position = s.level_position
            and c.breakdown_key = s.breakdown_key
            and c.period_key = s.last_period
    left join {{ ref('int_indicator_cells') }} as b
        on
            b.indicator_key = s.indicator_key
            and b.area_key = c.area_key
            and b.breakdown_key = s.breakdown_key
            and b.period_key = s.base_period
    left join spans_with_break as k
        on k.indicator_key = s.indicator_key and k.base_period = s.base_period and k.last_period = s.last_period
    where {{ in_scope('s.indicator_key') }}
),

judged as (
    select
        *,
        case
            when is_change then 'change'
            when has_break then 'break'
            -- an area that had nothing to achieve and has fallen away from there is assessed
            when {{ nothing_to_achieve('base_value') }} and {{ nothing_to_achieve('last_value') }} then 'nothing_to_achieve'
        end as reason
    from values_at_ends
),

-- a target to meet and not to pass: a value beyond the target is folded to the value before it with the same ratio to the target
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
        -- exponential growth cannot start or end at zero
        case when target_value = 0 then {{ progress.zero }} else target_value end as target
    from judged
),

signed as (
    select
        *,
        case when base_folded = 0 then {{ progress.zero }} else base_folded end as base,
        case when base_folded < 0 then -1 else 1 end as base_sign,
        -- folded values grow away from zero towards their target, unless the target is zero
        case
            when direction = 'lower_better' then -1
            when direction = 'target' and target_value <= 0 then -1
            else 1
        end as direction_sign
    from folded
),

growths as (
    select
        *,
        -- from 0 to 0 there is no rate of growth
        case
            when reason is null and last_folded / base >= 0 and not (base_folded = 0 and last_folded = 0)
                then {{ finite('pow(last_folded / base, 1 / years) - 1') }}
        end as growth,
        case
            when reason is null and years_to_target > 0 and target / base > 0
                then {{ finite('pow(target / base, cast(1 as double) / years_to_target) - 1') }}
        end as growth_required,
        coalesce(
            case direction
                when 'higher_better' then last_value >= target_value
                when 'lower_better' then last_value <= target_value
                else abs(last_value - target_value) <= {{ var('relative_tolerance') }} * greatest(abs(target_value), {{ progress.smallest_target }})
            end,
            false
        ) as is_achieved
    from signed
),

paces as (
    select
        *,
        case
            when target_value is null then base_sign * direction_sign * growth
            when growth_required <> 0 then base_sign * direction_sign * growth / abs(growth_required)
            -- away from a target that the base met
            when growth_required = 0 and base_sign * direction_sign * growth < 0 then -{{ best }}
        end as pace
    from growths
),

scored as (
    select
        *,
        case
            when base_value is null or last_value is null or reason is not null then null
            when is_achieved then {{ best }}
            when pace is null then null
            -- the scale of the Open SDG platform: piecewise linear through the borders of the classes
            when target_value is not null and pace < {{ to_target.moderate }} then greatest((pace - {{ to_target.moderate }}) * 5 / 1.2, -{{ best }})
            when target_value is not null then least((pace - {{ to_target.moderate }}) * 5 / 0.7, {{ best }})
            when pace < 0 then greatest(125 * pace - 2.5, -{{ best }})
            when pace < {{ free.moderate }} then 500 * pace - 2.5
            when pace < {{ free.substantial }} then 250 * pace - 1.25
            else least(500 * pace - 5, {{ best }})
        end as score,
        case
            when base_value is null or last_value is null or reason is not null then null
            when is_achieved then 'target_achieved'
            when pace >= case when target_value is null then {{ free.substantial }} else {{ to_target.substantial }} end then 'substantial_progress'
            when pace >= case when target_value is null then {{ free.moderate }} else {{ to_target.moderate }} end then 'moderate_progress'
            when pace >= 0 then 'limited_progress'
            when pace < 0 then 'deterioration'
        end as progress,
        greatest(
            coalesce({{ status_rank('base_status') }}, {{ no_rank() }}),
            coalesce({{ status_rank('last_status') }}, {{ no_rank() }})
        ) as status_rank
    from paces
),

with_status as (
    select
        *,
        case
            -- an area that did not exist in the base period has no value there
            when base_status is null and {{ has_value('status_rank') }} then 'O'
            when {{ lacks_value('status_rank') }} then {{ rank_status('status_rank') }}
            when progress is null then 'Z'
            else {{ rank_status('status_rank') }}
        end as obs_status
    from scored
)

select
    i.indicator,
    a.ref_area,
    x.sex,
    p.time_period as base_period,
    q.time_period as last_period,
    s.growth,
    s.growth_required,
    s.score,
    s.progress,
    s.obs_status,
    case when s.obs_status = 'Z' then coalesce(s.reason, 'undefined_growth') end as reason
from with_status as s
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = s.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = s.area_key
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = s.breakdown_key
inner join {{ ref('dim_period') }} as p on p.period_key = s.base_period
inner join {{ ref('dim_period') }} as q on q.period_key = s.last_period
