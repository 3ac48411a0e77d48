-- The total of a parent exceeds its women and men by as much as the totals of the contributing areas exceed theirs (unknown sex, and
-- differences in the source's own cells). The roll-up neither adds to this excess nor loses any of it.
with children as (
    select
        d.indicator_key,
        t.ancestor_key as area_key,
        d.period_key,
        {{ age_of('d.breakdown_key') }} as age_code,
        d.area_key as child_key,
        sum(case when {{ sex_of('d.breakdown_key') }} = {{ sex_code('_T') }} then d.numerator else -d.numerator end) as numerator,
        sum(case when {{ sex_of('d.breakdown_key') }} = {{ sex_code('_T') }} then d.denominator else -d.denominator end) as denominator
    from {{ ref('int_direct_values') }} as d
    inner join {{ ref('int_indicator_periods') }} as p on p.indicator_key = d.indicator_key and p.period_key = d.period_key
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = d.indicator_key and i.by_sex
    inner join {{ ref('int_area_tree') }} as t
        on t.period_key = d.period_key and t.area_key = d.area_key and t.level_position = p.finest_position
    where {{ has_value('d.status_rank') }}
    group by d.indicator_key, t.ancestor_key, d.period_key, {{ age_of('d.breakdown_key') }}, d.area_key
    having count(*) = 3
),

expected as (
    select
        indicator_key,
        area_key,
        period_key,
        age_code,
        count(*) as children,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from children
    group by indicator_key, area_key, period_key, age_code
),

parents as (
    select
        r.indicator_key,
        r.area_key,
        r.period_key,
        {{ age_of('r.breakdown_key') }} as age_code,
        min(r.contributing) as fewest,
        max(r.contributing) as most,
        sum(case when {{ sex_of('r.breakdown_key') }} = {{ sex_code('_T') }} then r.numerator else -r.numerator end) as numerator,
        sum(case when {{ sex_of('r.breakdown_key') }} = {{ sex_code('_T') }} then r.denominator else -r.denominator end) as denominator,
        sum(abs(r.numerator)) as numerators,
        sum(abs(r.denominator)) as denominators
    from {{ ref('int_rolled_values') }} as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = r.indicator_key and i.by_sex
    group by r.indicator_key, r.area_key, r.period_key, {{ age_of('r.breakdown_key') }}
    having count(*) = 3
)

select
    p.indicator_key,
    p.area_key,
    p.period_key,
    p.age_code,
    p.numerator,
    e.numerator as expected_numerator,
    p.denominator,
    e.denominator as expected_denominator
from parents as p
inner join expected as e
    on
        e.indicator_key = p.indicator_key
        and e.area_key = p.area_key
        and e.period_key = p.period_key
        and e.age_code = p.age_code
        -- the same areas contribute to women, men and the total
        and e.children = p.fewest
        and e.children = p.most
where
    abs(p.numerator - e.numerator) > {{ var('relative_tolerance') }} * p.numerators
    or abs(p.denominator - e.denominator) > {{ var('relative_tolerance') }} * p.denominators
