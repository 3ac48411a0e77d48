-- grain: one row per indicator, area, period, sex and age group
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
with read_measures as (
    select *
    from ({{ measures_of_terms() }}) as t
    where {{ in_scope('t.indicator_key') }}
),

measures_by_period as (
    select distinct measure_key, period_key, source_position
    from {{ ref('int_observations') }}
    where measure_key in (select measure_key from read_measures)
),

-- the sources with observations of an indicator's measures in the period
sources_of_indicators as (
    select distinct
        t.indicator_key,
        o.period_key,
        s.source
    from read_measures as t
    inner join measures_by_period as o on o.measure_key = t.measure_key
    inner join {{ ref('stg_sources') }} as s on s.position = o.source_position
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
    coalesce(p.time_period, '') as time_period,
    x.sex,
    x.age,
    a.level,
    c.obs_value,
    c.obs_status,
    c.numerator,
    case when i.has_denominator then c.denominator end as denominator,
    c.coverage,
    i.unit as unit_measure,
    coalesce(s.sources, '') as sources
from {{ ref('int_indicator_cells') }} as c
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = c.area_key
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = c.breakdown_key
left join {{ ref('dim_period') }} as p on p.period_key = c.period_key
left join sources_by_period as s on s.indicator_key = c.indicator_key and s.period_key = c.period_key
where {{ in_scope('c.indicator_key') }}
