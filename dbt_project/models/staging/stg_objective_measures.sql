-- grain: one row per measure of an objective of the SMART Concept
select
    objective,
    measure,
    position,
    titles
from {{ lake('objective_measures') }}
