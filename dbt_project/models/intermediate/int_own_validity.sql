-- grain: one row per period and area that is valid on its first day, by the dates of the area itself
select
    p.period_key,
    p.first_day,
    a.area_key,
    a.level_position
from {{ ref('dim_period') }} as p
inner join {{ ref('dim_area') }} as a
    on {{ is_valid_on('a', 'p.first_day') }}
left join {{ ref('stg_area_gaps') }} as g
    on g.ref_area = a.ref_area and {{ gap_holds_on('g', 'p.first_day') }}
where g.ref_area is null
