-- The computed value of a parent differs from the value that its source reports. The computed value is published, with this warning.
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
        {{ is_same_cell('r', 'c') }}
inner join {{ ref('int_direct_values') }} as d
    on
        {{ is_same_cell('d', 'c') }}
where
    d.observed
    and {{ has_value('d.status_rank') }}
    and r.contributing > 0
    and (
        abs(r.numerator - d.numerator) > {{ var('relative_tolerance') }} * abs(d.numerator)
        or abs(r.denominator - d.denominator) > {{ var('relative_tolerance') }} * abs(d.denominator)
    )
