-- grain: one row per cell in scope, as computed, before confidential cells are suppressed: indicator, area, period, sex and age
-- a view: int_indicator_cells stores its rows, without those that are suppressed
{{ config(materialized="view") }}
with direct as (
    select
        d.indicator_key,
        d.area_key,
        a.level_position,
        d.period_key,
        d.breakdown_key,
        a.level_position > p.finest_position as is_parent,
        {{ has_value('d.status_rank') }} as complete,
        case
            -- a mean needs no weight at the level at which its source reports it; a weight of 0 leaves nothing that it is the mean of
            when i.weighted and i.window_years is null and i.change_kind is null
                then
                    case
                        when {{ has_value('d.numerator_rank') }} and coalesce(d.denominator, 1) <> 0
                            then {{ finite('i.multiplier * d.own_value') }}
                    end
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
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = d.indicator_key
    inner join {{ ref('int_indicator_periods') }} as p on p.indicator_key = d.indicator_key and p.period_key = d.period_key
    inner join {{ ref('dim_area') }} as a on a.area_key = d.area_key
    inner join {{ ref('int_indicator_levels') }} as il on il.indicator_key = d.indicator_key and il.level_position = a.level_position
    where {{ in_scope('d.indicator_key') }}
),

rolled as (
    select
        r.indicator_key,
        r.area_key,
        r.period_key,
        r.breakdown_key,
        r.numerator,
        r.denominator,
        r.coverage,
        r.contributing,
        r.value_rank,
        r.lowest_rank,
        r.highest_rank,
        {{ finite(indicator_value('r')) }} as rolled_value,
        -- an unknown coverage is never sufficient
        coalesce(r.coverage >= case when i.has_denominator then k.min_coverage else 1 end, false) as is_covered
    from {{ ref('int_rolled_values') }} as r
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = r.indicator_key
    cross join {{ ref('stg_pack') }} as k
    where {{ in_scope('r.indicator_key') }}
),

-- indicators of built-in measures, which belong to the areas of the finest level: parents get theirs by summation
built_in_indicators as (
    select distinct indicator_key
    from {{ ref('int_terms') }}
    where built_in is not null or times_built_in is not null
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
            when d.complete and d.observed and b.indicator_key is null and (coalesce(r.contributing, 0) = 0 or i.rollup = 'reported') then 'reported'
            -- a value can be reported as confidential or be in quarantine; that is used if the areas below only lack data
            when
                d.status_rank in ({{ rank_of('Q') }}, {{ rank_of('C') }})
                and d.observed
                and (coalesce(r.highest_rank, {{ rank_of('O') }}) in ({{ rank_of('O') }}, {{ rank_of('M') }}) or i.rollup = 'reported')
                then 'reported'
            when r.indicator_key is not null then 'rolled'
            else 'absent'
        end as basis
    from direct as d
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = d.indicator_key
    left join built_in_indicators as b on b.indicator_key = d.indicator_key
    left join rolled as r
        on
            {{ is_same_cell('r', 'd') }}
),

computed_cells as (
    select
        indicator_key,
        area_key,
        level_position,
        period_key,
        breakdown_key,
        basis,
        case
            when basis in ('direct', 'reported') then obs_value
            when basis = 'rolled' and is_covered and contributing > 0 then rolled_value
        end as obs_value,
        case
            when basis in ('direct', 'reported') and {{ has_value('status_rank') }} and obs_value is null then 'Z'
            when basis in ('direct', 'reported') then {{ rank_status('status_rank') }}
            when basis = 'absent' and {{ has_value('status_rank') }} then 'O'
            when basis = 'absent' then {{ rank_status('status_rank') }}
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
            when basis = 'absent' then 0
            when {{ has_value('status_rank') }} then 1
            else 0
        end as coverage
    from cells_with_basis
),

-- where a source says that there can be no value, a missing one is not defined
published_cells as (
    select
        c.indicator_key,
        c.area_key,
        c.level_position,
        c.period_key,
        c.breakdown_key,
        c.basis,
        c.obs_value,
        case when c.obs_status in ('O', 'M') and n.is_undefined then 'Z' else c.obs_status end as obs_status,
        c.numerator,
        c.denominator,
        c.coverage
    from computed_cells as c
    left join {{ ref('int_value_notes') }} as n
        on n.indicator_key = c.indicator_key and n.period_key = c.period_key and n.area_key = c.area_key
),

-- a difference to the area above, at the level that the indicator names
differences as (
    select
        c.indicator_key,
        c.area_key,
        c.level_position,
        c.period_key,
        c.breakdown_key,
        c.basis,
        {{ finite('c.obs_value - r.obs_value') }} as obs_value,
        case
            when c.obs_value is null then c.obs_status
            when r.obs_value is null then coalesce(r.obs_status, 'O')
            else {{ rank_status('greatest(' ~ status_rank('c.obs_status') ~ ', ' ~ status_rank('r.obs_status') ~ ')') }}
        end as obs_status,
        c.numerator,
        c.denominator,
        c.coverage
    from published_cells as c
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = c.indicator_key
    inner join {{ ref('stg_levels') }} as l on l.level = i.difference_to
    left join {{ ref('int_areas_above') }} as h
        on h.period_key = c.period_key and h.area_key = c.area_key and h.level_position = l.position
    left join published_cells as r
        on
            r.indicator_key = c.indicator_key
            and r.area_key = h.above_key
            and r.period_key = c.period_key
            and r.breakdown_key = c.breakdown_key
),

with_periods as (
    select distinct indicator_key from {{ ref('int_indicator_periods') }}
),

down as (
    select distinct t.indicator_key
    from {{ ref('int_terms') }} as t
    inner join ({{ measures_of_sources_down() }}) as m on m.measure_key = t.measure_key
    where t.is_numerator
),

-- an indicator without any period: one row per area of its last level
never_collected as (
    select
        i.indicator_key,
        a.area_key,
        a.level_position,
        0 as period_key,
        {{ total() }} as breakdown_key,
        'absent' as basis,
        cast(null as double) as obs_value,
        case when d.indicator_key is not null then 'S' else 'O' end as obs_status,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        cast(0 as double) as coverage
    from {{ ref('stg_indicators') }} as i
    inner join {{ ref('dim_area') }} as a on a.level = i.last_level
    left join down as d on d.indicator_key = i.indicator_key
    left join with_periods as p on p.indicator_key = i.indicator_key
    where p.indicator_key is null and {{ in_scope('i.indicator_key') }}
)

select indicator_key, area_key, level_position, period_key, breakdown_key, basis, obs_value, obs_status, numerator, denominator, coverage
from published_cells
where indicator_key not in (select indicator_key from {{ ref('stg_indicators') }} where difference_to is not null)
union all
select indicator_key, area_key, level_position, period_key, breakdown_key, basis, obs_value, obs_status, numerator, denominator, coverage
from differences
union all
select indicator_key, area_key, level_position, period_key, breakdown_key, basis, obs_value, obs_status, numerator, denominator, coverage
from never_collected
