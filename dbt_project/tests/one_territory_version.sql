-- A source reports, for one period, both an area that no longer existed and the area that it became. One of them would count twice.
with keeps_a_share as (
    select distinct from_area, changed_on
    from {{ ref('int_area_shares') }}
    where to_area = from_area
),

passed_on as (
    select
        f.area_key as from_key,
        t.area_key as to_key,
        s.changed_on,
        g.resumed_on
    from {{ ref('int_area_shares') }} as s
    inner join {{ ref('dim_area') }} as f on f.ref_area = s.from_area
    inner join {{ ref('dim_area') }} as t on t.ref_area = s.to_area
    left join keeps_a_share as k on k.from_area = s.from_area and k.changed_on = s.changed_on
    -- an area that separates again later counts for itself from then on
    left join {{ ref('stg_area_gaps') }} as g
        on g.ref_area = s.from_area and {{ gap_holds_on('g', 's.changed_on') }}
    where
        s.to_area <> s.from_area
        and k.from_area is null
        and (f.valid_from is null or f.valid_from <= s.changed_on)
)

select distinct
    o.source_position,
    o.measure_key,
    o.period_key,
    o.area_key
from {{ ref('int_source_observations') }} as o
inner join {{ ref('dim_period') }} as p on p.period_key = o.period_key
inner join passed_on as s
    on
        s.from_key = o.area_key
        and p.first_day >= s.changed_on
        and (s.resumed_on is null or p.first_day < s.resumed_on)
inner join {{ ref('int_source_observations') }} as c
    on
        c.source_position = o.source_position
        and c.measure_key = o.measure_key
        and c.period_key = o.period_key
        and c.area_key = s.to_key
where
    o.obs_value is not null
    and c.obs_value is not null
