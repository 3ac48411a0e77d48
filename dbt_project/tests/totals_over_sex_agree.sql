-- The total of an additive measure differs from women + men + unknown sex in the source's own cells. All are published as reported, with this
-- warning.
{{ config(meta={'gate': 'warn'}) }}
with additive as (
    select measure_key
    from ({{ measure_properties() }})
    where additive
),

-- a minimum or maximum over all rows is not a sum over sex
extremes as (
    select distinct m.measure_key
    from {{ ref('stg_observations') }} as o
    inner join {{ ref('stg_measures') }} as m on m.measure = o.measure and m.source = o.source
    where o.aggregate in ('min', 'max')
),

measures_by_sex as (
    select distinct o.measure_key
    from {{ ref('int_observations') }} as o
    inner join additive as a on a.measure_key = o.measure_key
    left join extremes as x on x.measure_key = o.measure_key
    where x.measure_key is null and {{ sex_of('o.breakdown_key') }} <> {{ sex_code('_T') }}
),

by_sex as (
    select
        o.measure_key,
        o.area_key,
        o.period_key,
        {{ age_of('o.breakdown_key') }} as age_code,
        max(o.obs_value) filter (where {{ sex_of('o.breakdown_key') }} = {{ sex_code('_T') }}) as total,
        sum(o.obs_value) filter (where {{ sex_of('o.breakdown_key') }} <> {{ sex_code('_T') }}) as parts,
        count(o.obs_value) filter (where {{ sex_of('o.breakdown_key') }} in ({{ sex_code('M') }}, {{ sex_code('F') }})) as sexes,
        count(*) filter (where {{ sex_of('o.breakdown_key') }} = {{ sex_code('_U') }} and o.obs_value is null) as unknown
    from {{ ref('int_observations') }} as o
    inner join measures_by_sex as m on m.measure_key = o.measure_key
    group by o.measure_key, o.area_key, o.period_key, {{ age_of('o.breakdown_key') }}
)

select
    measure_key,
    area_key,
    period_key,
    age_code,
    total,
    parts
from by_sex
where sexes = 2 and unknown = 0 and abs(total - parts) > {{ var('relative_tolerance') }} * greatest(abs(total), abs(parts))
