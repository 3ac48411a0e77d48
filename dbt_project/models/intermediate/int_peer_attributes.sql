-- grain: one row per area and attribute that selects its peers, in the last period that all attributes have in common
with levels as (
    -- the finest level, and the levels whose areas an index scores
    select level from {{ ref('stg_levels') }} where position = 0
    union
    select level from {{ ref('stg_indices') }}
),

attribute_values as (
    select a.attribute, a.position, a.k, o.level, o.ref_area, o.time_period, o.obs_value
    from {{ ref('stg_peer_attributes') }} as a
    inner join {{ ref('int_observations') }} as o on a.kind = 'measure' and o.measure = a.attribute
    where o.sex = '_T' and o.age = '_T' and o.obs_value is not null
    union all
    select a.attribute, a.position, a.k, c.level, c.ref_area, c.time_period, c.obs_value
    from {{ ref('stg_peer_attributes') }} as a
    inner join {{ ref('int_indicator_cells') }} as c on a.kind = 'indicator' and c.indicator = a.attribute
    where c.sex = '_T' and c.age = '_T' and c.obs_value is not null
),

last_common_periods as (
    select
        level,
        time_period
    from attribute_values
    where level in (select level from levels)
    group by level, time_period
    having count(distinct attribute) = (select count(*) from {{ ref('stg_peer_attributes') }})
    qualify row_number() over (partition by level order by {{ first_day('time_period') }} desc, time_period desc) = 1
)

select
    f.level,
    f.ref_area,
    f.attribute,
    f.position,
    f.k,
    f.time_period,
    f.obs_value
from attribute_values as f
inner join last_common_periods as l on l.level = f.level and l.time_period = f.time_period
inner join {{ ref('int_valid_areas') }} as v on v.time_period = f.time_period and v.ref_area = f.ref_area
