-- grain: one row per measure, area, period, sex and age, as reported, over all sources
{{ config(materialized="incremental", pre_hook="{{ delete_scope('measure') }}") }}
with measures as (
    select *
    from ({{ measure_properties() }}) as p
    where {{ in_scope('p.measure_key', 'measure') }}
),

-- if several sources report a cell, the first source by file name is used, of those whose cell was not refused
chosen_sources as (
    select
        o.measure_key,
        o.area_key,
        o.period_key,
        o.breakdown_key,
        coalesce(min(o.source_position) filter (where o.status_rank <> {{ rank_of('Q') }}), min(o.source_position)) as source_position
    from {{ ref('int_source_observations') }} as o
    inner join measures as m on m.measure_key = o.measure_key and m.n_sources > 1
    group by o.measure_key, o.area_key, o.period_key, o.breakdown_key
),

first_source_cells as (
    select
        o.measure_key,
        o.area_key,
        o.period_key,
        o.breakdown_key,
        o.source_position,
        o.obs_value,
        o.status_rank
    from {{ ref('int_source_observations') }} as o
    inner join measures as m on m.measure_key = o.measure_key and m.n_sources = 1
    union all
    select
        o.measure_key,
        o.area_key,
        o.period_key,
        o.breakdown_key,
        o.source_position,
        o.obs_value,
        o.status_rank
    from {{ ref('int_source_observations') }} as o
    inner join chosen_sources as c
        on c.source_position = o.source_position and {{ is_same_cell('c', 'o', of='measure') }}
),

-- a total that no source reports is women + men (+ unknown sex), if the measure is additive and both are reported
measures_by_sex as (
    select distinct o.measure_key
    from {{ ref('int_source_observations') }} as o
    inner join measures as m on m.measure_key = o.measure_key and m.additive
    where {{ sex_of('o.breakdown_key') }} in ({{ sex_code('M') }}, {{ sex_code('F') }})
),

by_sex as (
    select
        o.measure_key,
        o.area_key,
        o.period_key,
        {{ age_of('o.breakdown_key') }} as breakdown_key,
        {{ sex_of('o.breakdown_key') }} as sex_code,
        o.source_position,
        o.obs_value,
        o.status_rank
    from first_source_cells as o
    inner join measures_by_sex as m on m.measure_key = o.measure_key
),

sums_over_sex as (
    select
        measure_key,
        area_key,
        period_key,
        breakdown_key,
        min(source_position) as source_position,
        count(*) filter (where sex_code in ({{ sex_code('M') }}, {{ sex_code('F') }})) as sexes,
        count(*) filter (where sex_code = {{ sex_code('_T') }}) as totals,
        case
            when count(obs_value) = count(*)
                then
                    max(obs_value) filter (where sex_code = {{ sex_code('F') }})
                    + max(obs_value) filter (where sex_code = {{ sex_code('M') }})
                    + coalesce(max(obs_value) filter (where sex_code = {{ sex_code('_U') }}), 0)
        end as obs_value,
        max(status_rank) as status_rank
    from by_sex
    group by measure_key, area_key, period_key, breakdown_key
)

select measure_key, area_key, period_key, breakdown_key, source_position, obs_value, status_rank
from first_source_cells
union all
select measure_key, area_key, period_key, cast(breakdown_key as integer) as breakdown_key, source_position, obs_value, status_rank
from sums_over_sex
where sexes = 2 and totals = 0
