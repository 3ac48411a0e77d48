-- The total of a parent exceeds its women and men by as much as the totals of the contributing areas exceed theirs (unknown sex, and
-- differences in the source's own cells). The roll-up neither adds to this excess nor loses any of it.
with children as (
    select
        d.indicator,
        t.ancestor as ref_area,
        d.time_period,
        d.age,
        d.ref_area as child,
        sum(case when d.sex = '_T' then d.numerator else -d.numerator end) as numerator,
        sum(case when d.sex = '_T' then d.denominator else -d.denominator end) as denominator
    from {{ ref('int_direct_values') }} as d
    inner join {{ ref('int_indicator_periods') }} as p
        on {{ is_at_finest_level('p', 'd') }}
    inner join {{ ref('stg_indicators') }} as i on i.indicator = d.indicator and i.by_sex
    inner join {{ ref('int_area_tree') }} as t on t.time_period = d.time_period and t.ref_area = d.ref_area
    where {{ has_value('d.status_rank') }} and d.sex in ('M', 'F', '_T')
    group by d.indicator, t.ancestor, d.time_period, d.age, d.ref_area
    having count(*) = 3
),

expected as (
    select
        indicator,
        ref_area,
        time_period,
        age,
        count(*) as children,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from children
    group by indicator, ref_area, time_period, age
),

parents as (
    select
        indicator,
        ref_area,
        time_period,
        age,
        min(contributing) as fewest,
        max(contributing) as most,
        sum(case when sex = '_T' then numerator else -numerator end) as numerator,
        sum(case when sex = '_T' then denominator else -denominator end) as denominator,
        sum(abs(numerator)) as numerators,
        sum(abs(denominator)) as denominators
    from {{ ref('int_rolled_values') }}
    where sex in ('M', 'F', '_T')
    group by indicator, ref_area, time_period, age
    having count(*) = 3
)

select
    p.indicator,
    p.ref_area,
    p.time_period,
    p.age,
    p.numerator,
    e.numerator as expected_numerator,
    p.denominator,
    e.denominator as expected_denominator
from parents as p
inner join expected as e
    on
        e.indicator = p.indicator
        and e.ref_area = p.ref_area
        and e.time_period = p.time_period
        and e.age = p.age
        -- the same areas contribute to women, men and the total
        and e.children = p.fewest
        and e.children = p.most
where
    abs(p.numerator - e.numerator) > {{ var('relative_tolerance') }} * p.numerators
    or abs(p.denominator - e.denominator) > {{ var('relative_tolerance') }} * p.denominators
