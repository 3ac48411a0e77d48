-- grain: one row per group of areas and level between: how much of Theil's T lies between the areas of that level, and how much within them
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
with members as (
    {{ dispersion_members() }}
),

-- of two areas above at one level, the first counts
subgroups as (
    select
        period_key,
        area_key,
        ancestor_position,
        min(ancestor_key) as subgroup_key
    from {{ ref('int_area_tree') }}
    group by period_key, area_key, ancestor_position
),

groups as (
    {{ groups_with_means('members') }}
),

parts as (
    select
        m.group_key,
        g.indicator_key,
        b.by_position,
        coalesce(s.subgroup_key, 0) as subgroup_key,
        m.value,
        g.share,
        m.weighted_share,
        m.value / g.mean as relative,
        case when g.weighted_mean > 0 then {{ finite('m.value / g.weighted_mean') }} end as weighted_relative
    from members as m
    inner join {{ ref('int_dispersion_levels') }} as b on b.group_key = m.group_key
    inner join groups as g on g.group_key = m.group_key
    left join subgroups as s on s.period_key = m.period_key and s.area_key = m.area_key and s.ancestor_position = b.by_position
    where g.has_shares
),

sums as (
    select
        group_key,
        by_position,
        subgroup_key,
        max(indicator_key) as indicator_key,
        min(value) = max(value) as is_equal,
        {{ unit_sum('share') }} as share,
        {{ unit_sum('share * relative') }} as mass,
        {{ log_sum('case when relative > 0 then share * relative * ln(relative) else 0 end') }} as product,
        {{ unit_sum('weighted_share') }} as weighted_share,
        {{ unit_sum('weighted_share * weighted_relative') }} as weighted_mass,
        {{ log_sum('case when weighted_relative > 0 then weighted_share * weighted_relative * ln(weighted_relative) else 0 end') }}
            as weighted_product
    from parts
    group by group_key, by_position, subgroup_key
),

-- the mean of a subgroup is its mass over its share
logs as (
    select
        *,
        case when mass > 0 and share > 0 then mass * ln(mass / share) else 0 end as between_groups,
        case when weighted_mass > 0 and weighted_share > 0 then weighted_mass * ln(weighted_mass / weighted_share) else 0 end as weighted_between
    from sums
)

select
    group_key,
    max(indicator_key) as indicator_key,
    by_position,
    {{ log_sum('between_groups') }} as between_groups,
    {{ log_sum('case when is_equal then 0 else product - between_groups end') }} as within_groups,
    case when count(weighted_mass) = count(*) then {{ log_sum('weighted_between') }} end as weighted_between,
    case
        when count(weighted_mass) = count(*) then {{ log_sum('case when is_equal then 0 else weighted_product - weighted_between end') }}
    end as weighted_within
from logs
group by group_key, by_position
