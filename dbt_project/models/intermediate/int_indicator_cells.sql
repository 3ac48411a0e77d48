-- grain: one row per published cell: indicator, area, period, sex and age; values are not rounded
with direct as (
    select
        d.indicator,
        d.ref_area,
        d.level,
        d.time_period,
        d.sex,
        d.age,
        l.position > p.finest_position as is_parent,
        {{ has_value('d.status_rank') }} as complete,
        case
            -- a mean needs no weight at the level at which its source reports it
            when i.weighted and i.window_years is null and i.change_kind is null
                then case when {{ has_value('d.numerator_rank') }} then {{ finite('i.multiplier * d.own_value') }} end
            when {{ has_value('d.status_rank') }} then {{ finite(indicator_value('d')) }}
        end as obs_value,
        case
            when i.weighted and i.window_years is null and i.change_kind is null then d.numerator_rank
            else d.status_rank
        end as status_rank,
        -- published for the row's own period even if a change lacks its base
        case when {{ has_value('d.terms_rank') }} then d.numerator end as numerator,
        case when {{ has_value('d.terms_rank') }} then d.denominator end as denominator,
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
        -- an unknown coverage is never sufficient
        coalesce(r.coverage >= case when i.has_denominator then k.min_coverage else 1.0 end, false) as is_covered
    from {{ ref('int_rolled_values') }} as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator = r.indicator
    cross join {{ ref('stg_pack') }} as k
),

-- indicators of built-in measures, which belong to the areas of the finest level: parents get theirs by summation
built_in_indicators as (
    select distinct indicator
    from {{ ref('stg_terms') }}
    where {{ is_built_in('measure') }} or {{ is_built_in('times') }}
),

cells_with_basis as (
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
        r.is_covered,
        case
            when not d.is_parent then 'direct'
            -- use a parent's reported value if no area below contributes or the indicator asks for it; built-in measures are never reported
            when d.complete and d.observed and b.indicator is null and (coalesce(r.contributing, 0) = 0 or i.rollup = 'reported') then 'reported'
            -- a value can be reported as confidential or be in quarantine; that is used if the areas below only lack data
            when
                d.status_rank in ({{ rank_of('Q') }}, {{ rank_of('C') }})
                and d.observed
                and (coalesce(r.highest_rank, {{ rank_of('O') }}) in ({{ rank_of('O') }}, {{ rank_of('M') }}) or i.rollup = 'reported')
                then 'reported'
            when r.indicator is not null then 'rolled'
            else 'absent'
        end as basis
    from direct as d
    inner join {{ ref('stg_indicators') }} as i on i.indicator = d.indicator
    left join built_in_indicators as b on b.indicator = d.indicator
    left join rolled as r
        on
            {{ is_same_cell('r', 'd') }}
),

published_cells as (
    select
        indicator,
        ref_area,
        level,
        time_period,
        sex,
        age,
        case
            when basis in ('direct', 'reported') then obs_value
            when basis = 'rolled' and is_covered and contributing > 0 then rolled_value
        end as obs_value,
        case
            when basis in ('direct', 'reported') and {{ has_value('status_rank') }} and obs_value is null then 'Z'
            when basis in ('direct', 'reported') then {{ rank_status('status_rank') }}
            when basis = 'absent' then {{ rank_status('greatest(status_rank, ' ~ rank_of('O') ~ ')') }}
            -- no area below has a value, and all of them lack it for the same reason
            when contributing = 0 and lowest_rank = highest_rank then {{ rank_status('highest_rank') }}
            when contributing = 0 or not is_covered then 'L'
            when rolled_value is null then 'Z'
            else {{ rank_status('value_rank') }}
        end as obs_status,
        {{ finite("case when basis = 'rolled' then rolled_numerator when basis <> 'absent' then numerator end") }} as numerator,
        {{ finite("case when basis = 'rolled' then rolled_denominator when basis <> 'absent' then denominator end") }} as denominator,
        case
            when basis = 'rolled' then rolled_coverage
            when basis = 'absent' then 0.0
            when {{ has_value('status_rank') }} then 1.0
            else 0.0
        end as coverage
    from cells_with_basis
),

-- an indicator without any period: one row per area of its last level
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
        inner join ({{ measures_of_sources_down() }}) as m on m.measure = t.measure
        where t.side = 'numerator'
    ) as d on d.indicator = i.indicator
    where i.indicator not in (select indicator from {{ ref('int_indicator_periods') }})
)

select * from published_cells
union all
select * from never_collected
