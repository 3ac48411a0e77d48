{# The measures that an indicator reads, with the years that it looks back for them: one row per indicator, lag and measure. #}
{% macro measures_of_terms() -%}
    select indicator_key, lag, measure_key from {{ ref('stg_terms') }}
    union
    select indicator_key, lag, times_key as measure_key from {{ ref('stg_terms') }} where times_key is not null
{%- endmacro %}

{#
  The years from a period back to what an indicator reads, before the lags of its terms: over its window, and again from the base of its change.
  One row per indicator, years to the base and years in the window.
#}
{% macro years_to_terms() -%}
    select
        w.indicator_key,
        b.years_to_base,
        w.years_back
    from {{ ref('int_window_years') }} as w
    inner join (
        select indicator_key, 0 as years_to_base from {{ ref('stg_indicators') }}
        union
        select indicator_key, change_years as years_to_base from {{ ref('stg_indicators') }} where change_years is not null
    ) as b on b.indicator_key = w.indicator_key
{%- endmacro %}

{# The properties of a measure over all of its sources: one row per measure. #}
{% macro measure_properties() -%}
    select
        measure_key,
        bool_and(additive) as additive,
        bool_and(divisible) as divisible,
        max(weighted_by_key) as weighted_by_key,
        bool_or(is_counted) as is_counted,
        count(distinct source) as n_sources
    from {{ ref('stg_measures') }}
    group by measure_key
{%- endmacro %}

{# The cells that a source gives of measures that several sources give: one row per source and cell. #}
{% macro cells_of_shared_measures() -%}
    select
        o.source_position,
        o.measure_key,
        o.area_key,
        o.period_key,
        o.breakdown_key,
        o.obs_value,
        o.status_rank
    from {{ ref('int_source_observations') }} as o
    inner join ({{ measure_properties() }}) as m on m.measure_key = o.measure_key and m.n_sources > 1
{%- endmacro %}

{# The measures of sources that are down, with the source and the period of the missing part; the period is null where it is unknown. #}
{% macro measures_of_sources_down() -%}
    select
        m.measure_key,
        m.source_position,
        {{ key_of_longer(period_key('d.time_period'), 'm.to_period') }} as period_key
    from {{ ref('stg_down') }} as d
    inner join {{ ref('stg_measures') }} as m on m.source = d.source
{%- endmacro %}

{#
  The share of a former area that a measure passes on. A measure that is not divisible passes on as a whole, to the only successor or to the area
  of the same identifier; the other successors of a divided area have none (null). `o` is a row of int_area_origins.
#}
{% macro share_of_origin(o, divisible) -%}
    case when {{ divisible }} or not {{ o }}.is_divided then {{ o }}.share when {{ o }}.area_key = {{ o }}.origin_key then cast(1 as double) end
{%- endmacro %}
