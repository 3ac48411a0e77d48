-- grain: one row per indicator and year of its window, counted back from the period; 0 for an indicator without a window
with recursive window_years as (
    select
        indicator_key,
        coalesce(window_years, 1) as n_years,
        0 as years_back
    from {{ ref('stg_indicators') }}
    union all
    select indicator_key, n_years, years_back + 1 as years_back
    from window_years
    where years_back + 1 < n_years
)

select indicator_key, years_back
from window_years
