-- A source reports, for one period, both an area that no longer existed and the area that it became. One of them would count twice.
select distinct
    o.source,
    o.measure,
    o.time_period,
    o.ref_area
from {{ ref('int_source_observations') }} as o
inner join {{ ref('int_area_shares') }} as s on s.from_area = o.ref_area and {{ first_day('o.time_period') }} >= s.changed_on
inner join {{ ref('int_source_observations') }} as c
    on c.source = o.source and c.measure = o.measure and c.time_period = o.time_period and c.ref_area = s.to_area
where
    s.to_area <> s.from_area
    and o.obs_value is not null
    and c.obs_value is not null
    and not exists (
        select 1
        from {{ ref('int_area_shares') }} as k
        where k.from_area = s.from_area and k.changed_on = s.changed_on and k.to_area = k.from_area
    )
