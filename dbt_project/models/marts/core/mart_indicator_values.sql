-- grain: one row per indicator, area, period, sex and age group
with sources_by_period as (
    -- the sources with observations of an indicator's measures in the period
    select
        t.indicator,
        o.time_period,
        string_agg(distinct o.source, ';' order by o.source) as sources
    from ({{ measures_of_terms() }}) as t
    inner join (select distinct measure, time_period, source from {{ ref('int_observations') }}) as o on o.measure = t.measure
    group by t.indicator, o.time_period
)

select
    c.indicator,
    c.ref_area,
    c.time_period,
    c.sex,
    c.age,
    c.level,
    c.obs_value,
    c.obs_status,
    c.numerator,
    case when i.has_denominator then c.denominator end as denominator,
    c.coverage,
    i.unit as unit_measure,
    coalesce(s.sources, '') as sources
from {{ ref('int_indicator_cells') }} as c
inner join {{ ref('stg_indicators') }} as i on i.indicator = c.indicator
left join sources_by_period as s on s.indicator = c.indicator and s.time_period = c.time_period
