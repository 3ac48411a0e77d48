-- grain: one row per indicator with intervals, area, sex, age group and reference: the last period of the level
with cells as (
    select
        c.*,
        i.direction,
        i.target_value,
        i.multiplier,
        i.interval_kind,
        v.lower_95,
        v.upper_95,
        v.lower_998,
        v.upper_998
    from {{ ref('int_intervals') }} as v
    inner join {{ ref('stg_indicators') }} as i on i.indicator_key = v.indicator_key
    inner join {{ ref('int_indicator_cells') }} as c on {{ is_same_cell('c', 'v') }}
),

periods as (
    select distinct
        indicator_key,
        level_position,
        period_key,
        {{ first_day_number('period_key') }} as day_number
    from cells
    where obs_value is not null and breakdown_key = {{ total() }}
),

numbered_periods as (
    select
        *,
        row_number() over (partition by indicator_key, level_position order by day_number desc, period_key desc) as from_last
    from periods
),

compared as (
    select c.*
    from cells as c
    inner join numbered_periods as p
        on p.indicator_key = c.indicator_key and p.level_position = c.level_position and p.period_key = c.period_key and p.from_last = 1
),

against_top as (
    select
        c.indicator_key,
        c.area_key,
        c.period_key,
        c.breakdown_key,
        a.ref_area as against,
        r.obs_value as reference_value
    from compared as c
    inner join {{ ref('int_area_tree') }} as t
        on
            t.period_key = c.period_key
            and t.area_key = c.area_key
            and t.ancestor_position = (select max(l.position) from {{ ref('stg_levels') }} as l)
    inner join {{ ref('dim_area') }} as a on a.area_key = t.ancestor_key
    left join cells as r
        on
            r.indicator_key = c.indicator_key
            and r.area_key = t.ancestor_key
            and r.period_key = c.period_key
            and r.breakdown_key = c.breakdown_key
),

scales as (
    select
        indicator_key,
        {{ scale_for('max(abs(numerator))') }} as numerator_scale,
        {{ scale_for('max(abs(denominator))') }} as denominator_scale
    from compared
    group by indicator_key
),

peers as (
    select
        a.area_key,
        b.area_key as peer_key
    from {{ ref('int_peers') }} as p
    inner join {{ ref('dim_area') }} as a on a.ref_area = p.ref_area
    inner join {{ ref('dim_area') }} as b on b.ref_area = p.peer
),

-- a mean has no parts that could be added up
against_peers as (
    select
        c.indicator_key,
        c.area_key,
        c.period_key,
        c.breakdown_key,
        'peers' as against,
        max(c.multiplier)
        * {{ exact_sum('r.numerator * s.numerator_scale', 'max(s.numerator_scale)') }}
        / nullif({{ exact_sum('r.denominator * s.denominator_scale', 'max(s.denominator_scale)') }}, 0) as reference_value
    from compared as c
    inner join peers as p on p.area_key = c.area_key
    inner join scales as s on s.indicator_key = c.indicator_key
    left join compared as r
        on
            r.indicator_key = c.indicator_key
            and r.area_key = p.peer_key
            and r.period_key = c.period_key
            and r.breakdown_key = c.breakdown_key
            and r.obs_value is not null
    where c.interval_kind <> 'mean'
    group by c.indicator_key, c.area_key, c.period_key, c.breakdown_key
),

all_references as (
    select * from against_top
    union all
    select * from against_peers
),

assessed as (
    select
        c.*,
        r.against,
        r.reference_value,
        case
            when c.obs_value is null then 'no_value'
            when c.lower_95 is null then 'no_interval'
            when c.interval_kind <> 'mean' and c.denominator < {{ var('min_denominator_compared') }} then 'too_few'
            when r.reference_value is null then 'no_reference'
        end as reason
    from compared as c
    inner join all_references as r on {{ is_same_cell('r', 'c') }}
),

measured as (
    select
        *,
        case
            when reason is not null then null
            when direction = 'target' and abs(reference_value - target_value) = abs(obs_value - target_value) then 0
            when reference_value < lower_998 or reference_value > upper_998 then 99.8
            when reference_value < lower_95 or reference_value > upper_95 then 95
            else 0
        end as confidence,
        abs(reference_value - target_value) - abs(obs_value - target_value) as nearer_to_target
    from assessed
)

select
    i.indicator,
    a.ref_area,
    p.time_period,
    x.sex,
    x.age,
    m.against,
    m.reference_value,
    case
        when m.confidence is null then 'not_compared'
        when m.confidence = 0 then 'similar'
        when m.direction = 'none' then case when m.obs_value > m.reference_value then 'higher' else 'lower' end
        when m.direction = 'target' then case when m.nearer_to_target > 0 then 'better' else 'worse' end
        when (m.obs_value > m.reference_value) = (m.direction = 'higher_better') then 'better'
        else 'worse'
    end as outcome,
    cast(nullif(m.confidence, 0) as double) as significance,
    m.reason
from measured as m
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = m.indicator_key
inner join {{ ref('dim_area') }} as a on a.area_key = m.area_key
inner join {{ ref('dim_period') }} as p on p.period_key = m.period_key
inner join {{ ref('dim_breakdown') }} as x on x.breakdown_key = m.breakdown_key
