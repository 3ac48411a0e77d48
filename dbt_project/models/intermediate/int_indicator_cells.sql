-- grain: one published cell: indicator, area, period, sex and age (values unrounded)
with direct as (
    select
        d.indicator,
        d.ref_area,
        d.level,
        d.time_period,
        d.sex,
        d.age,
        l.position > p.finest_position as is_parent,
        d.status_rank < 11 as complete,
        case
            -- at its own level a mean needs no weight
            when i.weighted and i.window_years is null and i.change_kind is null then case when d.numerator_rank < 11 then {{ finite('i.multiplier * d.own_value') }} end
            when d.status_rank < 11 then {{ finite(indicator_value('d')) }}
        end as obs_value,
        case
            when i.weighted and i.window_years is null and i.change_kind is null then d.numerator_rank
            else d.status_rank
        end as status_rank,
        -- those of the row's period are published whether or not a change has a base
        case when d.terms_rank < 11 then d.numerator end as numerator,
        case when d.terms_rank < 11 then d.denominator end as denominator,
        d.observed
    from {{ ref('int_direct_values') }} as d
    inner join {{ ref('stg_indicators') }} as i on i.indicator = d.indicator
    inner join {{ ref('int_indicator_periods') }} as p on p.indicator = d.indicator and p.time_period = d.time_period
    inner join {{ ref('stg_levels') }} as l on l.level = d.level
    inner join {{ ref('stg_indicator_levels') }} as il on il.indicator = d.indicator and il.level = d.level
),

rolled as (
    select
        r.indicator,
        r.ref_area,
        r.time_period,
        r.sex,
        r.age,
        r.numerator,
        r.denominator,
        r.coverage,
        r.contributing,
        r.value_rank,
        r.lowest_rank,
        r.highest_rank,
        {{ finite(indicator_value('r')) }} as rolled_value,
        -- an unknown coverage is not enough
        coalesce(r.coverage >= case when i.has_denominator then k.min_coverage else 1.0 end, false) as covered
    from {{ ref('int_rolled_values') }} as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator = r.indicator
    cross join {{ ref('stg_pack') }} as k
),

-- built-in measures are those of areas of the finest level: a parent has none of its own
built_in as (
    select distinct indicator
    from {{ ref('stg_terms') }}
    where measure in ('areas', 'area_km2') or times in ('areas', 'area_km2')
),

chosen as (
    select
        d.*,
        r.numerator as rolled_numerator,
        r.denominator as rolled_denominator,
        r.coverage as rolled_coverage,
        r.contributing,
        r.value_rank,
        r.lowest_rank,
        r.highest_rank,
        r.rolled_value,
        r.covered,
        case
            when not d.is_parent then 'direct'
            -- a parent that its source reports, where nothing lies below it or the indicator asks for it; built-in measures are not reported
            when d.complete and d.observed and b.indicator is null and (coalesce(r.contributing, 0) = 0 or i.rollup = 'reported') then 'reported'
            -- it may be reported as confidential, or refused: where no area below says more than that it has nothing
            when d.status_rank in (13, 15) and d.observed and (coalesce(r.highest_rank, 11) in (11, 12) or i.rollup = 'reported') then 'reported'
            when r.indicator is not null then 'rolled'
            else 'absent'
        end as way
    from direct as d
    inner join {{ ref('stg_indicators') }} as i on i.indicator = d.indicator
    left join built_in as b on b.indicator = d.indicator
    left join rolled as r
        on
            r.indicator = d.indicator
            and r.ref_area = d.ref_area
            and r.time_period = d.time_period
            and r.sex = d.sex
            and r.age = d.age
),

collected as (
    select
        indicator,
        ref_area,
        level,
        time_period,
        sex,
        age,
        case
            when way in ('direct', 'reported') then obs_value
            when way = 'rolled' and covered and contributing > 0 then rolled_value
        end as obs_value,
        case
            when way in ('direct', 'reported') and status_rank < 11 and obs_value is null then 'Z'
            when way in ('direct', 'reported') then {{ rank_status('status_rank') }}
            when way = 'absent' then {{ rank_status('greatest(status_rank, 11)') }}
            -- nothing is there, and the children share one reason
            when contributing = 0 and lowest_rank = highest_rank then {{ rank_status('highest_rank') }}
            when contributing = 0 or not covered then 'L'
            when rolled_value is null then 'Z'
            else {{ rank_status('value_rank') }}
        end as obs_status,
        {{ finite("case when way = 'rolled' then rolled_numerator when way <> 'absent' then numerator end") }} as numerator,
        {{ finite("case when way = 'rolled' then rolled_denominator when way <> 'absent' then denominator end") }} as denominator,
        case
            when way = 'rolled' then rolled_coverage
            when way = 'absent' then 0.0
            when status_rank < 11 then 1.0
            else 0.0
        end as coverage
    from chosen
),

-- an indicator without any period: one row for each area of its last level
never_collected as (
    select
        i.indicator,
        a.ref_area,
        a.level,
        '' as time_period,
        '_T' as sex,
        '_T' as age,
        cast(null as double) as obs_value,
        case when d.indicator is not null then 'S' else 'O' end as obs_status,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        cast(0.0 as double) as coverage
    from {{ ref('stg_indicators') }} as i
    inner join {{ ref('stg_areas') }} as a on a.level = i.last_level
    left join (
        select distinct t.indicator
        from {{ ref('stg_terms') }} as t
        inner join {{ ref('stg_measures') }} as m on m.measure = t.measure
        inner join {{ ref('stg_down') }} as x on x.source = m.source
        where t.side = 'numerator'
    ) as d on d.indicator = i.indicator
    where i.indicator not in (select indicator from {{ ref('int_indicator_periods') }})
)

select * from collected
union all
select * from never_collected
