-- A parent's computed value differs from the one its source reports: the computed one is published, and this says so.
{{ config(meta={'gate': 'warn'}) }}
select
    c.indicator,
    c.ref_area,
    c.time_period,
    c.sex,
    c.age,
    c.numerator,
    d.numerator as reported_numerator
from {{ ref('int_indicator_cells') }} as c
inner join {{ ref('int_rolled_values') }} as r
    on
        r.indicator = c.indicator
        and r.ref_area = c.ref_area
        and r.time_period = c.time_period
        and r.sex = c.sex
        and r.age = c.age
inner join {{ ref('int_direct_values') }} as d
    on
        d.indicator = c.indicator
        and d.ref_area = c.ref_area
        and d.time_period = c.time_period
        and d.sex = c.sex
        and d.age = c.age
where
    d.observed
    and d.status_rank < 11
    and r.contributing > 0
    and (
        abs(r.numerator - d.numerator) > 1e-9 * abs(d.numerator)
        or abs(r.denominator - d.denominator) > 1e-9 * abs(d.denominator)
    )
