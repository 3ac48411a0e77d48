-- grain: one row per indicator that is published by sex, area, period and age group
{{ config(materialized="incremental", pre_hook="{{ delete_scope(column='indicator') }}") }}
with values_by_sex as (
    select
        c.indicator_key,
        c.area_key,
        c.period_key,
        {{ age_of('c.breakdown_key') }} as age_code,
        max(c.obs_value) filter (where {{ sex_of('c.breakdown_key') }} = {{ sex_code('F') }}) as female,
        max(c.obs_value) filter (where {{ sex_of('c.breakdown_key') }} = {{ sex_code('M') }}) as male,
        max({{ status_rank('c.obs_status') }}) as status_rank,
        -- the status Z has no rank
        bool_or(c.obs_status = 'Z') as is_undefined
    from {{ ref('int_indicator_cells') }} as c
    where {{ sex_of('c.breakdown_key') }} in ({{ sex_code('M') }}, {{ sex_code('F') }}) and {{ in_scope('c.indicator_key') }}
    group by c.indicator_key, c.area_key, c.period_key, {{ age_of('c.breakdown_key') }}
),

-- a ratio needs a value of men above zero and no value below zero
ratios as (
    select
        *,
        case when male > 0 and female >= 0 then {{ finite('female / male') }} end as ratio
    from values_by_sex
)

select
    i.indicator,
    a.ref_area,
    p.time_period,
    x.age,
    a.level,
    r.female,
    r.male,
    {{ finite('r.female - r.male') }} as difference,
    r.ratio,
    case when r.ratio > 0 then abs(1 - least(r.ratio, 1 / r.ratio)) when r.ratio = 0 then 1 end as parity_distance,
    case
        when {{ lacks_value('r.status_rank') }} then {{ rank_status('r.status_rank') }}
        when r.is_undefined or r.ratio is null then 'Z'
        else {{ rank_status('r.status_rank') }}
    end as obs_status
from ratios as r
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = r.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = r.area_key
inner join {{ ref('dim_period') }} as p on p.period_key = r.period_key
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = r.age_code
