-- grain: one row per index, component, indicator, area and period of the raw value
with leaves as (
    select
        *,
        -- a value that is carried forward is published in its own period; a missing one as in the newest period
        row_number() over (
            partition by index_id, node, ref_area, coalesce(raw_period, '')
            order by time_period <> coalesce(raw_period, ''), case when raw_period is null then null else time_period end, time_period desc
        ) as choice
    from {{ ref('int_index_scores') }}
    where indicator is not null
)

select
    index_id as index,
    parent as component,
    indicator,
    ref_area,
    -- the period is empty for an indicator without a value that the index can read
    coalesce(raw_period, '') as time_period,
    raw,
    treated,
    score as normalised,
    weight,
    case when imputed then 'true' else 'false' end as imputed,
    obs_status
from leaves
where choice = 1
