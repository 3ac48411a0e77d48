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
)

select distinct
    m.measure,
    r.time_period,
    r.ref_area
from (select * from declared union all select * from undeclared) as r
inner join {{ ref('stg_measures') }} as m on m.source = r.source
where m.measure in (select measure from {{ ref('stg_terms') }} union select times from {{ ref('stg_terms') }} where times is not null)
