-- grain: one row per cell to suppress: indicator, area, period, sex and age
{{ config(materialized="incremental", pre_hook="{{ delete_scope() }}") }}
select indicator_key, area_key, period_key, breakdown_key, is_primary, hides_denominator
from {{ suppression('suppressed_cells') }}
where {{ in_scope('indicator_key') }}
