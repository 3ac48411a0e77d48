-- grain: one row per measure, period and area that is expected to report it
with declared_areas as (
    select
        u.source,
        u.ref_area,
        p.time_period
    from {{ ref('stg_universe') }} as u
    inner join (select distinct source, time_period from {{ ref('stg_source_presence') }}) as p on p.source = u.source
),

areas_with_rows as (
    select
        source,
        ref_area,
        time_period
    from {{ ref('stg_source_presence') }}
    where source not in (select source from {{ ref('stg_measures') }} where has_universe)
),

reporting_areas as (
    select * from declared_areas
    union all
    select * from areas_with_rows
),

-- areas that have changed since are replaced by what they became
current_areas as (
    select source, ref_area, time_period from reporting_areas
    union
    select r.source, s.area as ref_area, r.time_period
    from reporting_areas as r
    inner join {{ ref('int_periods') }} as p on p.time_period = r.time_period
    inner join {{ ref('int_area_successions') }} as s
        on s.origin = r.ref_area and {{ succession_holds_on('s', 'p.first_day') }}
)

select distinct
    m.measure,
    r.time_period,
    r.ref_area
from current_areas as r
inner join {{ ref('stg_measures') }} as m on m.source = r.source
where m.measure in (select measure from ({{ measures_of_terms() }}))
