-- grain: one area valid in a period, with the pack's weight; no rows where the pack declares none
with weight as (
    select
        o.ref_area,
        o.time_period,
        o.obs_value,
        {{ first_day('o.time_period') }} as first_day
    from {{ ref('int_observations') }} as o
    inner join {{ ref('stg_pack') }} as p on p.weight = o.measure
    where o.sex = '_T' and o.age = '_T' and o.obs_value is not null
),

-- the row's own period; where no area has it then, the nearest earlier one, else the nearest later
chosen as (
    select
        p.time_period,
        w.time_period as weight_period
    from {{ ref('int_periods') }} as p
    cross join (select distinct time_period, first_day from weight) as w
    qualify
        row_number() over (
            partition by p.time_period
            order by
                case when w.time_period = p.time_period then 0 when w.first_day <= p.first_day then 1 else 2 end,
                abs(date_diff('day', w.first_day, p.first_day)),
                w.time_period
        ) = 1
)

select
    a.time_period,
    a.ref_area,
    coalesce(w.obs_value, 0.0) as weight
from {{ ref('int_valid_areas') }} as a
inner join chosen as c on c.time_period = a.time_period
left join weight as w on w.time_period = c.weight_period and w.ref_area = a.ref_area
