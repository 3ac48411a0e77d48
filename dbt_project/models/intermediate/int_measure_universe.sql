-- grain: one area that is expected to report a measure in a period
with declared as (
    select
        u.source,
        u.ref_area,
        p.time_period
    from {{ ref('stg_universe') }} as u
    inner join (select distinct source, time_period from {{ ref('stg_source_presence') }}) as p on p.source = u.source
),

undeclared as (
    select
        source,
        ref_area,
        time_period
    from {{ ref('stg_source_presence') }}
    where source not in (select source from {{ ref('stg_measures') }} where has_universe)
),

reporting as (
    select * from declared
    union all
    select * from undeclared
),

-- who reported is now another area
restated as (
    select source, ref_area, time_period from reporting
    union
    select r.source, s.area as ref_area, r.time_period
    from reporting as r
    inner join {{ ref('int_periods') }} as p on p.time_period = r.time_period
    inner join {{ ref('int_area_successions') }} as s
        on s.origin = r.ref_area and p.first_day < s.valid_to and (s.valid_from is null or s.valid_from <= p.first_day)
)

select distinct
    m.measure,
    r.time_period,
    r.ref_area
from restated as r
inner join {{ ref('stg_measures') }} as m on m.source = r.source
where m.measure in (select measure from {{ ref('stg_terms') }} union select times from {{ ref('stg_terms') }} where times is not null)
