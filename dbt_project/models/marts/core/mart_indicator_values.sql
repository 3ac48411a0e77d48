-- grain: one row per indicator, area, period, sex and age group; an indicator without any data has none
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
with read_periods as (
    select *
    from {{ ref('int_read_periods') }} as r
    where {{ in_scope('r.indicator_key') }}
),

measures_by_period as (
    select distinct measure_key, period_key, source_position
    from {{ ref('int_observations') }}
    where measure_key in (select measure_key from read_periods)
),

-- a missing part without a period can be of any period
down as (
    {{ measures_of_sources_down() }}
),

-- the sources of an indicator's measures in the periods that its rows read; those that are down, too
positions_of_indicators as (
    select
        r.indicator_key,
        r.period_key,
        o.source_position
    from read_periods as r
    inner join measures_by_period as o on o.measure_key = r.measure_key and o.period_key = r.at_period
    union
    select
        r.indicator_key,
        r.period_key,
        d.source_position
    from read_periods as r
    inner join down as d on d.measure_key = r.measure_key and (d.period_key is null or d.period_key = r.at_period)
),

sources_of_indicators as (
    select
        p.indicator_key,
        p.period_key,
        s.source
    from positions_of_indicators as p
    inner join {{ ref('stg_sources') }} as s on s.position = p.source_position
),

sources_by_period as (
    select
        indicator_key,
        period_key,
        {{ joined_texts('source', ';') }} as sources
    from sources_of_indicators
    group by indicator_key, period_key
)

select
    i.indicator,
    a.ref_area,
    p.time_period,
    x.sex,
    x.age,
    a.level,
    c.obs_value,
    c.obs_status,
    c.numerator,
    case when i.has_denominator then c.denominator end as denominator,
    c.coverage,
    i.unit as unit_measure,
    coalesce(g.sources, '') as sources,
    v.lower_95,
    v.upper_95,
    v.lower_998,
    v.upper_998,
    case when c.obs_status = 'A' then n.note_always else n.note end as status_note
from {{ ref('int_indicator_cells') }} as c
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = c.area_key
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = c.breakdown_key
inner join {{ ref('dim_period') }} as p on p.period_key = c.period_key
left join sources_by_period as g on g.indicator_key = c.indicator_key and g.period_key = c.period_key
left join {{ ref('int_value_notes') }} as n
    on n.indicator_key = c.indicator_key and n.period_key = c.period_key and n.area_key = c.area_key
left join {{ ref('int_intervals') }} as v on {{ is_same_cell('v', 'c') }}
where {{ in_scope('c.indicator_key') }}
