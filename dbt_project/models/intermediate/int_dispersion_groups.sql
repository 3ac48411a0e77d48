-- grain: one row per indicator, area above, level of the areas compared, period and sex: the areas that are compared, also where none has a value
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with inputs as (
    select *
    from {{ ref('int_dispersion_inputs') }} as i
    where {{ in_scope('i.indicator_key') }}
),

scales as (
    select
        indicator_key,
        bool_or(weighted) as weighted,
        {{ scale_for('max(abs(obs_value))') }} as value_scale,
        {{ scale_for('max(abs(weight))') }} as weight_scale,
        {{ scale_for('max(chance_factor)') }} as chance_scale
    from inputs
    group by indicator_key
),

-- the series of a level: what has a value in any of its areas
series as (
    select distinct indicator_key, level_position, period_key, breakdown_key
    from inputs
),

areas_within as (
    select
        period_key,
        level_position,
        ancestor_key,
        count(*) as n_areas
    from {{ ref('int_area_tree') }}
    group by period_key, level_position, ancestor_key
),

groups as (
    select
        s.indicator_key,
        a.ancestor_key as within_key,
        s.level_position,
        s.period_key,
        s.breakdown_key,
        a.n_areas
    from series as s
    inner join areas_within as a on a.period_key = s.period_key and a.level_position = s.level_position
),

sums as (
    select
        i.indicator_key,
        t.ancestor_key as within_key,
        i.level_position,
        i.period_key,
        i.breakdown_key,
        count(*) as n,
        max(i.status_rank) as status_rank,
        min(i.obs_value) as low,
        max(i.obs_value) as high,
        -- the sum of large values can exceed the range of double, their mean cannot
        {{ exact_sum('i.obs_value * s.value_scale', '(max(s.value_scale) * count(*))') }} as mean,
        min(coalesce(i.weight, 0)) as low_weight,
        {{ exact_sum('coalesce(i.weight, 0) * s.weight_scale', 'max(s.weight_scale)') }} as total_weight,
        case
            when count(i.chance_factor) = count(*)
                then {{ exact_sum('i.chance_factor * s.chance_scale', '(max(s.chance_scale) * count(*))') }}
        end as chance_factor
    from inputs as i
    inner join scales as s on s.indicator_key = i.indicator_key
    inner join {{ ref('int_area_tree') }} as t on t.period_key = i.period_key and t.area_key = i.area_key
    group by i.indicator_key, t.ancestor_key, i.level_position, i.period_key, i.breakdown_key
)

select
    -- a number of its own for every indicator
    cast(g.indicator_key as bigint) * 4294967296
    + row_number() over (partition by g.indicator_key order by g.period_key, g.level_position, g.within_key, g.breakdown_key) as group_key,
    g.indicator_key,
    g.within_key,
    g.level_position,
    g.period_key,
    g.breakdown_key,
    g.n_areas,
    coalesce(s.n, 0) as n,
    s.status_rank,
    s.low,
    s.high,
    greatest(abs(s.low), abs(s.high)) as amplitude,
    {{ finite('s.high - s.low') }} as width,
    s.mean,
    {% for name, quantile in quantiles().items() -%}
    cast({{ quantile_place(quantile, 's.n') }} as bigint) as {{ name }}_place,
    {% endfor -%}
    c.weighted,
    -- null if a weight is negative: the weighted statistics are not defined then; weights that sum to 0 count as none
    case when not c.weighted then 0 when s.low_weight < 0 then null else s.total_weight end as total_weight,
    s.chance_factor
from groups as g
inner join scales as c on c.indicator_key = g.indicator_key
left join sums as s
    on
        s.indicator_key = g.indicator_key
        and s.within_key = g.within_key
        and s.level_position = g.level_position
        and s.period_key = g.period_key
        and s.breakdown_key = g.breakdown_key
