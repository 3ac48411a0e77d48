-- grain: one row per measure of an objective, as the SMART Concept or an indicator names it: what is published about it, and what is missing
{%- set languages = pack_languages() %}
with measures as (
    select objective, measure from {{ ref('stg_objective_measures') }}
    union
    select objective, measure from {{ ref('stg_indicators') }} where measure is not null
),

-- a 0 that stands for a missing row is no figure of its area
valued as (
    select
        i.objective,
        i.measure,
        c.area_key,
        c.level_position,
        c.period_key,
        a.valid_to is null and not (i.missing_zero and c.obs_value = 0) as is_covered,
        min(case when not (i.missing_zero and c.obs_value = 0) then c.level_position end)
            over (partition by i.objective, i.measure) as finest_position
    from {{ ref('int_indicator_cells') }} as c
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
    inner join {{ ref('dim_area') }} as a on a.area_key = c.area_key
    where c.obs_value is not null
),

published as (
    select
        v.objective,
        v.measure,
        count(distinct case when v.is_covered and v.level_position = v.finest_position then v.area_key end) as areas,
        max_by(p.time_period, cast({{ first_day_number('v.period_key') }} as bigint) * 100000000 + v.period_key) as newest_period
    from valued as v
    inner join {{ ref('dim_period') }} as p on p.period_key = v.period_key
    group by v.objective, v.measure
),

declared as (
    select
        i.objective,
        i.measure,
        {% for language in languages -%}
        {{ joined_texts('case when v.indicator_key is null then nullif(' ~ text_of('i.needs', language) ~ ", '') end", '; ') }} as needed_{{ language | replace('-', '_') }},
        {% endfor -%}
        count(*) as indicators,
        count(v.indicator_key) as indicators_with_data
    from {{ ref('stg_indicators') }} as i
    left join {{ ref('int_indicators_with_values') }} as v on v.indicator_key = i.indicator_key
    group by i.objective, i.measure
)

select
    m.objective,
    cast(m.measure as string) as measure,
    {% for language in languages -%}
    {{ text_of('t.titles', language) }} as title_{{ language | replace('-', '_') }},
    {% endfor -%}
    coalesce(d.indicators, 0) as indicators,
    coalesce(d.indicators_with_data, 0) as indicators_with_data,
    coalesce(p.areas, 0) as areas,
    p.newest_period
{%- for language in languages %},
    nullif(d.needed_{{ language | replace('-', '_') }}, '') as needed_{{ language | replace('-', '_') }}
{%- endfor %}
from measures as m
left join {{ ref('stg_objective_measures') }} as t on t.objective = m.objective and t.measure = m.measure
left join declared as d on d.objective = m.objective and d.measure = m.measure
left join published as p on p.objective = m.objective and p.measure = m.measure
