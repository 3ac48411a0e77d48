-- grain: one row per indicator, level, period and sex (age group _T): how many of its cells have a value, and why the others have none
select
    indicator,
    level,
    time_period,
    sex,
    count(*) as expected,
    count(obs_value) as available,
    count(*) filter (where obs_status = 'M') as missing_m,
    count(*) filter (where obs_status = 'L') as missing_l,
    count(*) filter (where obs_status = 'Q') as missing_q,
    count(*) filter (where obs_status = 'C') as missing_c,
    count(*) filter (where obs_status = 'O') as missing_o,
    count(*) filter (where obs_status = 'Z') as missing_z,
    count(*) filter (where obs_status = 'S') as missing_s
from {{ ref('int_indicator_cells') }}
where age = '_T'
group by indicator, level, time_period, sex
