-- grain: one row per source, measure, area, period, sex and age
{{ config(materialized="incremental", pre_hook="{{ delete_scope('measure') }}") }}
with breaks as (
    select distinct
        measure,
        source,
        {{ period_key('period') }} as period_key
    from {{ ref('stg_breaks') }}
),

all_observations as (
    select
        s.position as source_position,
        m.measure_key,
        a.area_key,
        {{ key_of_longer('p.period_key', 'm.to_period') }} as period_key,
        p.period_key as reported_period,
        m.to_period,
        x.breakdown_key,
        x.sex_code,
        o.aggregate,
        o.by_sex,
        o.obs_value,
        coalesce(o.row_count, 1) as n_rows,
        -- a value in the first period after a declared break gets status B
        greatest(
            {{ status_rank('o.obs_status') }},
            {{ rank_if('coalesce(b.measure, y.measure) is not null and o.obs_value is not null', 'B') }}
        ) as status_rank
    from {{ ref('stg_observations') }} as o
    inner join {{ ref('stg_sources') }} as s on s.source = o.source
    inner join {{ ref('stg_measures') }} as m on m.measure = o.measure and m.source = o.source
    inner join {{ ref('dim_area') }} as a on a.ref_area = o.ref_area
    inner join {{ ref('dim_period') }} as p on p.time_period = o.time_period
    inner join {{ ref('dim_breakdown') }} as x on x.sex = o.sex and x.age = o.age
    left join breaks as b on b.measure = o.measure and b.source = o.source and b.period_key = p.period_key
    left join breaks as y
        on
            y.measure = o.measure
            and y.source = o.source
            and y.period_key = {{ key_of_longer('p.period_key', 'm.to_period') }}
    where {{ in_scope('m.measure_key', 'measure') }}
),

-- where months make a year, an empty row is a month without a row, unless all of them are empty
cells_with_values as (
    select distinct source_position, measure_key, area_key, period_key, breakdown_key
    from all_observations
    where to_period is not null and obs_value is not null
),

ranked_observations as (
    select o.*
    from all_observations as o
    left join cells_with_values as v
        on
            v.source_position = o.source_position
            and {{ is_same_cell('v', 'o', of='measure') }}
    where v.measure_key is null or o.status_rank not in ({{ rank_of('L') }}, {{ rank_of('O') }}, {{ rank_of('M') }})
),

conflicts as (
    select
        s.position as source_position,
        m.measure_key,
        a.area_key,
        {{ key_of_longer('p.period_key', 'm.to_period') }} as period_key,
        x.breakdown_key
    from {{ ref('stg_conflicts') }} as c
    inner join {{ ref('stg_sources') }} as s on s.source = c.source
    inner join {{ ref('stg_measures') }} as m on m.measure = c.measure and m.source = c.source
    inner join {{ ref('dim_area') }} as a on a.ref_area = c.ref_area
    inner join {{ ref('dim_period') }} as p on p.time_period = c.time_period
    inner join {{ ref('dim_breakdown') }} as x on x.sex = c.sex and x.age = c.age
),

-- plain measures: equal observations count once; a quarantined row counts only if no other row reports the cell
plain_cells as (
    select
        source_position,
        measure_key,
        area_key,
        period_key,
        breakdown_key,
        min(obs_value) filter (where status_rank <> {{ rank_of('Q') }}) as obs_value,
        coalesce(max(status_rank) filter (where status_rank <> {{ rank_of('Q') }}), {{ rank_of('Q') }}) as status_rank
    from ranked_observations
    where aggregate is null
    group by source_position, measure_key, area_key, period_key, breakdown_key
),

plain_without_conflicts as (
    select
        r.source_position,
        r.measure_key,
        r.area_key,
        r.period_key,
        r.breakdown_key,
        case when c.measure_key is null then r.obs_value end as obs_value,
        case when c.measure_key is null then r.status_rank else {{ rank_of('Q') }} end as status_rank
    from plain_cells as r
    left join conflicts as c
        on
            c.source_position = r.source_position
            and {{ is_same_cell('c', 'r', of='measure') }}
),

scales as (
    select
        measure_key,
        {{ scale_for("max(abs(obs_value) * case when aggregate = 'mean' then n_rows else 1 end)") }} as scale
    from ranked_observations
    where aggregate is not null
    group by measure_key
),

-- the finer periods that have rows, and which sexes they have
reported_periods as (
    select
        source_position,
        measure_key,
        area_key,
        period_key,
        {{ age_of('breakdown_key') }} as age_code,
        count(*) filter (where sex_code = {{ sex_code('F') }}) > 0 as has_f,
        count(*) filter (where sex_code = {{ sex_code('M') }}) > 0 as has_m,
        count(*) filter (where sex_code = {{ sex_code('_T') }}) > 0 as has_t,
        count(*) filter (
            where sex_code = {{ sex_code('_T') }} and obs_value is not null and aggregate in ('sum', 'mean')
        ) > 0 as has_own_total,
        count(distinct sex_code) filter (where sex_code in ({{ sex_code('M') }}, {{ sex_code('F') }})) as n_sexes
    from ranked_observations
    where to_period is not null
    group by source_position, measure_key, area_key, period_key, {{ age_of('breakdown_key') }}, reported_period
),

fullest_periods as (
    select
        *,
        max(n_sexes) over (partition by source_position, measure_key, area_key, period_key, age_code) as most_sexes
    from reported_periods
),

-- the total is known in the periods of which the source reports it; else in those with as many sexes as any other
numbers_of_periods as (
    select
        source_position,
        measure_key,
        area_key,
        period_key,
        age_code,
        count(*) as n_periods,
        count(*) filter (where has_f) as n_periods_f,
        count(*) filter (where has_m) as n_periods_m,
        count(*) filter (where has_t) as n_periods_t,
        case
            when bool_or(has_own_total) then count(*) filter (where has_t)
            else count(*) filter (where has_t or n_sexes = most_sexes)
        end as n_periods_of_total
    from fullest_periods
    group by source_position, measure_key, area_key, period_key, age_code
),

-- aggregated measures: the rows of all parts, by sex
rows_by_sex as (
    select
        r.source_position,
        r.measure_key,
        r.area_key,
        r.period_key,
        {{ age_of('r.breakdown_key') }} as age_code,
        r.sex_code,
        r.aggregate,
        r.by_sex,
        case
            when {{ lacks_value('max(r.status_rank)') }} then null
            when r.aggregate = 'sum' then {{ exact_sum('r.obs_value * s.scale', 'max(s.scale)') }}
            when r.aggregate = 'mean' then {{ exact_sum('r.obs_value * r.n_rows * s.scale', 'max(s.scale)') }} / sum(r.n_rows)
            when r.aggregate = 'min' then min(r.obs_value)
            else max(r.obs_value)
        end as obs_value,
        sum(r.n_rows) as n_rows,
        max(r.status_rank) as status_rank
    from ranked_observations as r
    inner join scales as s on s.measure_key = r.measure_key
    where r.aggregate is not null
    group by
        r.source_position, r.measure_key, r.area_key, r.period_key, {{ age_of('r.breakdown_key') }}, r.sex_code, r.aggregate, r.by_sex
),

-- a mean over finer periods counts those with rows of the sex; for people of unknown sex it counts all of them
aggregates_by_sex as (
    select
        r.source_position,
        r.measure_key,
        r.area_key,
        r.period_key,
        r.age_code,
        r.sex_code,
        r.aggregate,
        r.by_sex,
        r.obs_value / case
            when not coalesce(m.mean_of_periods, false) then 1
            when r.sex_code = {{ sex_code('F') }} then n.n_periods_f
            when r.sex_code = {{ sex_code('M') }} then n.n_periods_m
            when r.sex_code = {{ sex_code('_T') }} then n.n_periods_t
            else n.n_periods
        end as obs_value,
        r.n_rows,
        r.status_rank
    from rows_by_sex as r
    left join {{ ref('stg_measures') }} as m on m.measure_key = r.measure_key and m.source_position = r.source_position
    left join numbers_of_periods as n
        on {{ is_same_over_sexes('n', 'r') }}
),

-- cells whose reported total is smaller than the sum of its parts
contradicted_cells as (
    select distinct source_position, measure_key, area_key, period_key, {{ age_of('breakdown_key') }} as age_code
    from conflicts
),

aggregates_over_sex as (
    select
        source_position,
        measure_key,
        area_key,
        period_key,
        age_code,
        aggregate,
        by_sex,
        max(status_rank) as status_rank,
        case
            when aggregate = 'min' then min(obs_value)
            when aggregate = 'max' then max(obs_value)
            -- the mean over the rows of all sexes
            when aggregate = 'mean'
                then
                    (
                        coalesce(max(obs_value * n_rows) filter (where sex_code = {{ sex_code('F') }}), 0)
                        + coalesce(max(obs_value * n_rows) filter (where sex_code = {{ sex_code('M') }}), 0)
                        + coalesce(max(obs_value * n_rows) filter (where sex_code = {{ sex_code('_U') }}), 0)
                    ) / nullif(sum(n_rows) filter (where sex_code <> {{ sex_code('_T') }}), 0)
            when count(obs_value) filter (where sex_code <> {{ sex_code('_T') }}) > 0
                then
                    coalesce(max(obs_value) filter (where sex_code = {{ sex_code('F') }}), 0)
                    + coalesce(max(obs_value) filter (where sex_code = {{ sex_code('M') }}), 0)
                    + coalesce(max(obs_value) filter (where sex_code = {{ sex_code('_U') }}), 0)
        end as obs_value,
        -- the total that the source reports, which is never added to its parts
        max(obs_value) filter (where sex_code = {{ sex_code('_T') }} and aggregate in ('sum', 'mean')) as own_total,
        max(status_rank) filter (where sex_code = {{ sex_code('_T') }} and aggregate in ('sum', 'mean')) as own_rank,
        -- a quarantined row of the total can be of either sex
        max(status_rank) filter (where sex_code = {{ sex_code('_T') }} and {{ lacks_value('status_rank') }}) as missing_rank
    from aggregates_by_sex
    group by source_position, measure_key, area_key, period_key, age_code, aggregate, by_sex
),

-- the total that the source reports, else the sum over all rows, including rows of unknown sex
totals as (
    select
        p.source_position,
        p.measure_key,
        p.area_key,
        p.period_key,
        p.age_code,
        p.by_sex,
        case
            when c.measure_key is not null then null
            when p.own_total is not null then p.own_total
            when {{ has_value('p.status_rank') }} then p.obs_value
        end as obs_value,
        case
            when c.measure_key is not null then {{ rank_of('Q') }}
            when p.own_total is not null then p.own_rank
            else p.status_rank
        end as status_rank,
        p.missing_rank,
        c.measure_key is not null as is_contradicted,
        -- a sex without rows is 0 only if the rows of the other sexes add up to the source's total
        p.aggregate = 'sum'
        and (
            p.own_total is null
            or abs(p.own_total - coalesce(p.obs_value, 0)) <= {{ var('relative_tolerance') }} * abs(p.own_total)
        ) as absent_is_zero
    from aggregates_over_sex as p
    left join contradicted_cells as c
        on {{ is_same_over_sexes('c', 'p') }}
),

parts as (
    {% for sex in ['M', 'F', '_U'] -%}
    select {{ sex_code(sex) }} as sex_code
    {%- if not loop.last %} union all{% endif %}
    {% endfor %}
),

-- women and men without rows are 0 if the area and period have any row
cells_by_sex as (
    select
        t.source_position,
        t.measure_key,
        t.area_key,
        t.period_key,
        t.age_code + x.sex_code as breakdown_key,
        case
            when t.is_contradicted or t.missing_rank is not null then null
            when s.measure_key is not null then s.obs_value
            when x.sex_code <> {{ sex_code('_U') }} and t.absent_is_zero then 0
        end as obs_value,
        case
            when t.is_contradicted then {{ rank_of('Q') }}
            when t.missing_rank is not null then greatest(t.missing_rank, coalesce(s.status_rank, {{ no_rank() }}))
            when s.measure_key is not null then s.status_rank
            else {{ rank_of('A') }}
        end as status_rank,
        s.measure_key is not null or (x.sex_code <> {{ sex_code('_U') }} and (t.absent_is_zero or t.is_contradicted)) as has_cell
    from totals as t
    cross join parts as x
    left join aggregates_by_sex as s
        on
            {{ is_same_over_sexes('s', 't') }}
            and s.sex_code = x.sex_code
    where t.by_sex
),

cells as (
    select source_position, measure_key, area_key, period_key, breakdown_key, obs_value, status_rank
    from plain_without_conflicts
    union all
    select source_position, measure_key, area_key, period_key, age_code as breakdown_key, obs_value, status_rank
    from totals
    union all
    select source_position, measure_key, area_key, period_key, breakdown_key, obs_value, status_rank
    from cells_by_sex
    where has_cell
),

-- a sex without any row is short where the total is
cells_over_periods as (
    select
        c.*,
        case
            when {{ sex_of('c.breakdown_key') }} = {{ sex_code('F') }} and n.n_periods_f > 0 then n.n_periods_f
            when {{ sex_of('c.breakdown_key') }} = {{ sex_code('M') }} and n.n_periods_m > 0 then n.n_periods_m
            when {{ sex_of('c.breakdown_key') }} = {{ sex_code('_U') }} then n.n_periods
            else n.n_periods_of_total
        end < m.needed_periods as is_short
    from cells as c
    left join {{ ref('stg_measures') }} as m on m.measure_key = c.measure_key and m.source_position = c.source_position
    left join numbers_of_periods as n
        on {{ is_same_over_sexes('n', 'c', age=age_of('c.breakdown_key')) }}
)

select
    cast(source_position as smallint) as source_position,
    measure_key,
    area_key,
    period_key,
    cast(breakdown_key as integer) as breakdown_key,
    case when not coalesce(is_short, false) then obs_value end as obs_value,
    cast(case when {{ has_value('status_rank') }} and is_short then {{ rank_of('L') }} else status_rank end as smallint) as status_rank
from cells_over_periods
