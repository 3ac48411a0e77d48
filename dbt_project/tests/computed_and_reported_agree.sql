-- The computed value of a parent differs from the value that its source reports. The computed value is published, with this warning.
{{ config(meta={'gate': 'warn'}) }}
select
    r.indicator_key,
    r.area_key,
    r.period_key,
    r.breakdown_key,
    r.numerator,
    d.numerator as reported_numerator
from {{ ref('int_rolled_values') }} as r
inner join {{ ref('int_direct_values') }} as d
    on
        {{ is_same_cell('d', 'r') }}
inner join {{ ref('int_indicator_cells') }} as c
    on
        {{ is_same_cell('c', 'r') }}
where
    d.observed
    and {{ has_value('d.status_rank') }}
    and r.contributing > 0
    and (
        abs(r.numerator - d.numerator) > {{ var('relative_tolerance') }} * abs(d.numerator)
        or abs(r.denominator - d.denominator) > {{ var('relative_tolerance') }} * abs(d.denominator)
    )
