-- grain: one row per area and attribute that selects its peers, in the last period that all attributes have in common
with levels as (
    -- the finest level, and the levels whose areas an index scores
    select level from {{ ref('stg_levels') }} where position = 0
    union
    select level from {{ ref('stg_indices') }}
),

measures as (
    select distinct measure, measure_key from {{ ref('stg_measures') }}
),

attribute_values as (
    select a.attribute, a.position, a.k, o.area_key, o.period_key, o.obs_value
    from {{ ref('stg_peer_attributes') }} as a
    inner join measures as m on a.kind = 'measure' and m.measure = a.attribute
    inner join {{ ref('int_observations') }} as o on o.measure_key = m.measure_key
    where o.breakdown_key = {{ total() }} and o.obs_value is not null
    union all
    select a.attribute, a.position, a.k, c.area_key, c.period_key, c.obs_value
    from {{ ref('stg_peer_attributes') }} as a
    inner join {{ ref('stg_indicators') }} as i on a.kind = 'indicator' and i.indicator = a.attribute
    inner join {{ ref('int_indicator_cells') }} as c on c.indicator_key = i.indicator_key
    where c.breakdown_key = {{ total() }} and c.obs_value is not null
),

common_periods as (
    select
        a.level,
        f.period_key
    from attribute_values as f
    inner join {{ ref('dim_area') }} as a on a.area_key = f.area_key
    inner join levels as l on l.level = a.level
    group by a.level, f.period_key
    having count(distinct f.attribute) = (select count(*) from {{ ref('stg_peer_attributes') }})
),

numbered_periods as (
    select
        level,
        period_key,
        row_number() over (partition by level order by {{ first_day_number('period_key') }} desc, period_key desc) as from_last
    from common_periods
)

select
    a.level,
    a.ref_area,
    f.attribute,
    f.position,
    f.k,
    p.time_period,
    f.obs_value
from attribute_values as f
inner join {{ ref('dim_area') }} as a on a.area_key = f.area_key
inner join numbered_periods as l on l.level = a.level and l.period_key = f.period_key and l.from_last = 1
inner join {{ ref('int_valid_areas') }} as v on v.period_key = f.period_key and v.area_key = f.area_key
inner join {{ ref('dim_period') }} as p on p.period_key = f.period_key
