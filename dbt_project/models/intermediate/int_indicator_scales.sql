-- grain: one row per indicator, with the scales at which the sums of its terms are exact (macros/exact_sum.sql)
with measures as (
    -- also over the cells of former areas, which are parts of products
    select
        measure_key,
        max(abs(obs_value)) as bound
    from (
        select measure_key, obs_value from {{ ref('int_reported_observations') }}
        union all
        select measure_key, obs_value from {{ ref('int_restated_observations') }}
    ) as o
    group by measure_key
),

surfaces as (
    select max(area_km2) as bound from {{ ref('dim_area') }}
),

terms as (
    select
        t.indicator_key,
        t.is_numerator,
        abs(t.factor)
        * greatest(coalesce(m.bound, 0), case t.built_in when 'areas' then 1 when 'area_km2' then s.bound else 0 end)
        * case
            when t.times_key is null then 1
            else greatest(coalesce(p.bound, 0), case t.times_built_in when 'areas' then 1 when 'area_km2' then s.bound else 0 end)
        end as bound
    from {{ ref('int_terms') }} as t
    cross join surfaces as s
    left join measures as m on m.measure_key = t.measure_key
    left join measures as p on p.measure_key = t.times_key
),

bounds as (
    select
        indicator_key,
        greatest(coalesce(sum(bound) filter (where is_numerator), 0), 1) as numerator_bound,
        greatest(coalesce(sum(bound) filter (where not is_numerator), 0), 1) as denominator_bound
    from terms
    group by indicator_key
)

-- a weighted mean is summed over areas as value times weight, a share of areas as their weights
select
    b.indicator_key,
    {{ scale_for('b.numerator_bound') }} as term_scale,
    {{ scale_for('case
        when i.is_share then greatest(b.numerator_bound, w.bound) when i.value_weighted then b.numerator_bound * b.denominator_bound
        else b.numerator_bound
    end') }} as numerator_scale,
    {{ scale_for('case when i.is_share then greatest(b.denominator_bound, w.bound) else b.denominator_bound end') }} as denominator_scale
from bounds as b
cross join (select coalesce(max(weight), 1) as bound from {{ ref('int_area_weights') }}) as w
inner join {{ ref('stg_indicators') }} as i on i.indicator_key = b.indicator_key
