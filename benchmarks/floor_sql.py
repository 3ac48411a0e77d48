"""The floor's SQL: formulas, roll-ups, dispersion and the published tables of packs/cz, as few statements as they take."""
# ruff: noqa: E501 - SQL, a thought in each line

from __future__ import annotations

# breaks and weights are written down here: the floor knows its one pack
WEIGHTS = """(values
    ('mean_age', 'population'), ('ageing_index_reported', 'residents_0_14'), ('execution_rate', 'residents_15_plus'),
    ('long_job_seekers_rate', 'residents_15_64'), ('social_exclusion_points', 'residents_15_plus')) as w (measure, weight)"""

FACTS = [
    """create table tree as
    with recursive above as (
        select ref_area, parent as ancestor from area_parents
        union
        select a.ref_area, p.parent from above as a inner join area_parents as p on p.ref_area = a.ancestor
    )
    select a.*, c.level, p.level as ancestor_level
    from above as a inner join areas as c on c.ref_area = a.ref_area inner join areas as p on p.ref_area = a.ancestor""",
    """create table periods as select distinct time_period from observed""",
    """create table valid as
    select p.time_period, a.ref_area, a.level from periods as p cross join areas as a
    where a.valid_from <= p.time_period || '-01-01' and (a.valid_to is null or p.time_period || '-01-01' < a.valid_to)""",
    """create table facts as
    select measure, ref_area, time_period, sex, obs_value from observed
    union all select 'area_km2', a.ref_area, v.time_period, '_T', a.area_km2 from valid as v inner join areas as a using (ref_area) where v.level = 'lau'
    union all select 'areas', ref_area, time_period, '_T', 1.0 from valid where level = 'lau'""",
    # each area's own weight of the period, else of the nearest earlier one, else of the nearest later
    """create table weights as
    with known as (select ref_area, time_period, obs_value from observed where measure = 'population' and sex = '_T' and obs_value is not null)
    select v.time_period, v.ref_area, coalesce(e.obs_value, l.obs_value) as weight
    from valid as v
    asof left join known as e on e.ref_area = v.ref_area and e.time_period <= v.time_period
    asof left join known as l on l.ref_area = v.ref_area and l.time_period > v.time_period""",
    f"""insert into terms select t.indicator, 'denominator', w.weight, '', 1.0, t.sex, t.lag from terms as t inner join {WEIGHTS} on w.measure = t.measure""",
    f"""create table weighted as select t.indicator from terms as t inner join {WEIGHTS} on w.measure = t.measure""",
]

EVALUATE = [
    """create table indicator_periods as
    select t.indicator, o.time_period, case when bool_or(a.level = 'lau') then 'lau' else any_value(a.level) end as finest
    from terms as t inner join (select distinct measure, time_period, ref_area from observed) as o using (measure)
    inner join areas as a using (ref_area) where t.side = 'numerator' group by all""",
    """create table cells as
    select p.indicator, p.time_period, v.ref_area, v.level, s.sex
    from indicator_periods as p inner join indicators as i using (indicator)
    inner join valid as v on v.time_period = p.time_period and v.level = p.finest
    inner join (values ('_T'), ('M'), ('F')) as s (sex) on s.sex = '_T' or i.by_sex""",
    """create table formulas as
    with back as (
        select distinct c.indicator, c.ref_area, c.sex, cast(cast(c.time_period as int) - b.years as varchar) as time_period
        from cells as c inner join (
            select i.indicator, unnest(range(0, i.window_years)) + x.years as years
            from indicators as i cross join lateral (select unnest([0, i.change_years]) as years) as x
        ) as b using (indicator)
    ),
    met as (
        select b.indicator, b.ref_area, b.sex, b.time_period, t.side, t.factor,
            case when i.missing_zero and t.side = 'numerator' then coalesce(f.obs_value, 0) else f.obs_value end
                * case when t.times = '' then 1 else g.obs_value end as value
        from back as b inner join terms as t using (indicator) inner join indicators as i using (indicator)
        left join facts as f on f.measure = t.measure and f.ref_area = b.ref_area
            and f.time_period = cast(cast(b.time_period as int) - t.lag as varchar)
            and f.sex = case when t.measure in ('areas', 'area_km2') then '_T' when t.sex <> '' then t.sex else b.sex end
        left join facts as g on g.measure = t.times and g.ref_area = b.ref_area and g.time_period = b.time_period and g.sex = '_T'
    ),
    sides as (
        select indicator, ref_area, sex, time_period,
            case when count(value) filter (where side = 'numerator') = count(*) filter (where side = 'numerator')
                then sum(factor * value) filter (where side = 'numerator') end as num,
            case when count(value) filter (where side = 'denominator') = count(*) filter (where side = 'denominator')
                then coalesce(sum(factor * value) filter (where side = 'denominator'), 1) end as den
        from met group by all
    )
    select indicator, ref_area, sex, time_period, num as own, case when w.indicator is not null then num * den else num end as num, den
    from sides left join weighted as w using (indicator)""",
    # only what has a window or a change looks at other periods
    """create table looks as
    select i.indicator, i.window_years, y.years, y.years + b.back as back
    from (select *, unnest(list_distinct([0, change_years])) as years from indicators where window_years > 1 or change_years > 0) as y
    inner join (select indicator, unnest(range(0, window_years)) as back from indicators) as b using (indicator) inner join indicators as i using (indicator)""",
    """create table windowed as
    select c.indicator, c.ref_area, c.sex, c.time_period, c.years,
        case when count(f.num + f.den) = any_value(c.window_years) then sum(f.num) end as num,
        case when count(f.num + f.den) = any_value(c.window_years) then sum(f.den) end as den
    from (select *, cast(cast(time_period as int) - back as varchar) as at_period from cells inner join looks using (indicator)) as c
    left join formulas as f on f.indicator = c.indicator and f.ref_area = c.ref_area and f.sex = c.sex and f.time_period = c.at_period
    group by all""",
    """create table direct as
    select c.*, f.num, f.den, f.own, cast(null as double) as bnum, cast(null as double) as bden, f.num is not null and f.den is not null as there
    from cells as c inner join formulas as f using (indicator, ref_area, sex, time_period) where c.indicator not in (select indicator from looks)
    union all
    select c.*, n.num, n.den, null, b.num, b.den,
        n.num is not null and n.den is not null and (i.change_years = 0 or (b.num is not null and b.den is not null))
    from cells as c inner join indicators as i using (indicator)
    inner join windowed as n on n.indicator = c.indicator and n.ref_area = c.ref_area and n.sex = c.sex and n.time_period = c.time_period and n.years = 0
    left join windowed as b on b.years > 0 and b.indicator = c.indicator and b.ref_area = c.ref_area and b.sex = c.sex
        and b.time_period = c.time_period""",
    """create table below as
    select d.*, t.ancestor, t.ancestor_level, w.weight, i.has_denominator or x.indicator is not null as ratio
    from direct as d inner join tree as t using (ref_area) inner join indicators as i using (indicator) left join weighted as x using (indicator)
    left join weights as w on w.ref_area = d.ref_area and w.time_period = d.time_period""",
    """create table sums as
    select d.indicator, d.ref_area, d.level, d.time_period, d.sex, d.num, d.den, d.bnum, d.bden, d.there, d.own,
        case when d.there then 1.0 else 0.0 end as coverage
    from direct as d
    union all
    select indicator, ancestor, ancestor_level, time_period, sex, sum(num) filter (where there), sum(den) filter (where there),
        sum(bnum) filter (where there), sum(bden) filter (where there), bool_or(there), null,
        case when not bool_or(there) then 0.0 when any_value(ratio) and bool_or(weight is null and not there) then null
            when coalesce(sum(weight), 0) <= 0 then count(*) filter (where there) / count(*)
            when any_value(ratio) then coalesce(sum(weight) filter (where there), 0) / sum(weight)
            else count(*) filter (where there) / count(*) filter (where there or weight is null or weight <> 0) end
    from below group by all""",
    """create table indicator_values as
    with valued as (
        select s.*, i.unit, i.multiplier, i.has_denominator or w.indicator is not null as ratio, w.indicator is not null and s.level = 'lau' as as_given,
            coalesce(s.coverage >= case when i.has_denominator or w.indicator is not null then 0.9 else 1.0 end, false) as covered, i.change_kind,
            i.multiplier * s.num / if(ratio, nullif(s.den, 0), 1) as now, i.multiplier * s.bnum / if(ratio, nullif(s.bden, 0), 1) as base
        from sums as s inner join indicators as i using (indicator) inner join indicator_levels as l on l.indicator = s.indicator and l.level = s.level
        left join weighted as w on w.indicator = s.indicator
    ),
    judged as (
        select *, case when as_given then multiplier * own when there and covered then
            case change_kind when '' then now when 'difference' then now - base when 'percent' then case when base > 0 then 100 * (now - base) / base end
            end end as value
        from valued
    )
    select indicator, ref_area, time_period, sex, '_T' as age, level, value as obs_value,
        case when value is not null then case when time_period = '2022' and indicator in ('population', 'mean_age', 'women_share') then 'B' else 'A' end
            when level = 'lau' and not there then 'M' when not covered then 'L' else 'Z' end as obs_status,
        case when there then num end as numerator, case when there and ratio then den end as denominator, coverage, unit
    from judged
    union all
    select i.indicator, a.ref_area, '', '_T', '_T', a.level, null, 'O', null, null, 0, i.unit
    from indicators as i inner join areas as a on a.level = i.last_level where not i.collected""",
]

# every indicator, between the areas of each level inside every area above it
DISPERSION = """create table cohesion_dispersion as
    with x as (
        select v.indicator, t.ancestor as within, v.level as of_level, v.time_period, v.sex, v.obs_value as y, v.denominator as w,
            row_number() over (partition by v.indicator, t.ancestor, v.level, v.time_period, v.sex order by v.obs_value) as r
        from indicator_values as v inner join tree as t on t.ref_area = v.ref_area where v.obs_value is not null
    ),
    m as (
        select indicator, within, of_level, time_period, sex, count(*) as n, avg(y) as mean, min(y) as low, max(y) as high, sum(w * y) / nullif(sum(w), 0) as wm,
            sum(w) as ws, quantile_cont(y, 0.1) as p10, quantile_cont(y, 0.9) as p90, quantile_cont(y, 0.25) as q1, quantile_cont(y, 0.75) as q3
        from x group by all
    ),
    s as (
        select indicator, within, of_level, time_period, sex, any_value(n) as n, any_value(mean) as mean, any_value(low) as low, any_value(high) as high,
            any_value(p10) as p10, any_value(p90) as p90, any_value(q1) as q1, any_value(q3) as q3, stddev_pop(y) as sd,
            sum((2 * r - n - 1) * y / n) / any_value(n * nullif(mean, 0)) as gini, sum(abs(y - mean)) / any_value(2 * n * nullif(mean, 0)) as hoover,
            1 - pow(avg(sqrt(greatest(y, 0))), 2) / any_value(nullif(mean, 0)) as atkinson,
            avg(case when y > 0 and mean > 0 then y / mean * ln(y / mean) else 0 end) as theil_t,
            avg(case when y > 0 and mean > 0 then ln(mean / y) end) as theil_l, stddev_pop(case when y > 0 then ln(y) end) as sd_log,
            100 * sum(w * abs(y - wm)) / any_value(nullif(ws * wm, 0)) as mad
        from x inner join m using (indicator, within, of_level, time_period, sex) group by indicator, within, of_level, time_period, sex
    )
    select indicator, within, of_level, time_period, sex, u.statistic, case when u.statistic = 'max_min' or n >= 3 then u.value end as obs_value, n
    from s cross join lateral (select unnest([
        {statistic: 'cv', value: case when low >= 0 then sd / nullif(mean, 0) end}, {statistic: 'gini', value: case when low >= 0 then gini end},
        {statistic: 'hoover', value: case when low >= 0 then hoover end}, {statistic: 'atkinson_05', value: case when low >= 0 then atkinson end},
        {statistic: 'theil_t', value: case when low >= 0 then theil_t end}, {statistic: 'theil_l', value: case when low > 0 then theil_l end},
        {statistic: 'sd_log', value: case when low > 0 then sd_log end}, {statistic: 'max_min', value: case when low > 0 then high / low end},
        {statistic: 'p90_p10', value: case when p10 > 0 then p90 / p10 end}, {statistic: 'mean_abs_dev', value: case when low >= 0 then mad end},
        {statistic: 'sd', value: sd}, {statistic: 'iqr', value: q3 - q1}]) as u) as k"""

WEIGHTED = """insert into cohesion_dispersion
    with x as (
        select v.indicator, t.ancestor as within, v.level as of_level, v.time_period, v.sex, v.obs_value as y, coalesce(v.denominator, v.numerator) as w
        from indicator_values as v inner join tree as t on t.ref_area = v.ref_area where v.obs_value is not null and coalesce(v.denominator, v.numerator) > 0
    ),
    m as (select indicator, within, of_level, time_period, sex, count(*) as n, min(y) as low, sum(w) as ws, sum(w * y) / sum(w) as mean from x group by all),
    g as (
        select x.*, m.n, m.low, m.mean, x.w / m.ws as p, x.w * x.y / nullif(m.ws * m.mean, 0) as q,
            sum(x.w * x.y / nullif(m.ws * m.mean, 0)) over (partition by x.indicator, x.within, x.of_level, x.time_period, x.sex order by x.y rows unbounded preceding) as l
        from x inner join m using (indicator, within, of_level, time_period, sex)
    ),
    s as (
        select indicator, within, of_level, time_period, sex, any_value(n) as n, any_value(low) as low,
            sqrt(sum(p * pow(y - mean, 2))) / nullif(any_value(mean), 0) as cv, 1 - sum(p * (2 * l - q)) as gini,
            sum(p * abs(y - mean)) / nullif(2 * any_value(mean), 0) as hoover, 1 - pow(sum(p * sqrt(greatest(y, 0))), 2) / nullif(any_value(mean), 0) as atkinson,
            sum(case when y > 0 and mean > 0 then p * y / mean * ln(y / mean) else 0 end) as theil_t, sum(case when y > 0 and mean > 0 then p * ln(mean / y) end) as theil_l,
            sqrt(greatest(sum(case when y > 0 then p * pow(ln(y), 2) end) - pow(sum(case when y > 0 then p * ln(y) end), 2), 0)) as sd_log
        from g group by indicator, within, of_level, time_period, sex
    )
    select indicator, within, of_level, time_period, sex, u.statistic || '_weighted', case when n >= 3 and (low > 0 or low = 0 and u.zero) then u.value end, n
    from s cross join lateral (select unnest([
        {statistic: 'cv', value: cv, zero: true}, {statistic: 'gini', value: gini, zero: true}, {statistic: 'hoover', value: hoover, zero: true},
        {statistic: 'atkinson_05', value: atkinson, zero: true}, {statistic: 'theil_t', value: theil_t, zero: true},
        {statistic: 'theil_l', value: theil_l, zero: false}, {statistic: 'sd_log', value: sd_log, zero: false}]) as u) as k"""

INDICATORS = [
    """create table gender_gaps as
    select indicator, ref_area, time_period, age, any_value(level) as level, max(obs_value) filter (where sex = 'F') as female,
        max(obs_value) filter (where sex = 'M') as male, female - male as difference, female / nullif(male, 0) as ratio,
        abs(1 - least(ratio, 1 / nullif(ratio, 0))) as parity_distance
    from indicator_values inner join indicators using (indicator) where by_sex and sex <> '_T' group by indicator, ref_area, time_period, age""",
    """create table coverage as
    select indicator, level, time_period, sex, count(*) as expected, count(obs_value) as available,
        count(*) filter (where obs_status = 'M') as missing_m, count(*) filter (where obs_status = 'L') as missing_l,
        count(*) filter (where obs_status = 'Z') as missing_z, count(*) filter (where obs_status = 'O') as missing_o
    from indicator_values group by all""",
    """create table latest as
    select v.indicator, v.ref_area, v.obs_value from indicator_values as v inner join (
        select indicator, max(time_period) as time_period from indicator_values where obs_value is not null group by 1
    ) as l using (indicator, time_period) where v.sex = '_T'""",
    """create table latest_values as select a.ref_area, a.name, a.level, p.* exclude (ref_area)
    from areas as a left join (pivot latest on indicator using any_value(obs_value) group by ref_area) as p on p.ref_area = a.ref_area""",
]
FACTS += [
    """create table index_components (index varchar, component varchar, indicator varchar, ref_area varchar, time_period varchar, raw double, normalised double)""",
    """create table scores (index varchar, component varchar, ref_area varchar, n_available bigint, n_expected bigint, score double, time_period varchar, rank bigint)""",
]
PUBLISHED = {
    **{t: f"select * from {t}" for t in ("areas", "area_parents", "area_codes", "indicators", "latest_values", "gender_gaps", "coverage")},
    **{t: f"select * from {t}" for t in ("indicator_values", "cohesion_dispersion", "index_components", "sources", "snapshots")},
    "sustainability": "select * from scores where index = 'sustainability'",
    "community": "select * from scores where index = 'community'",
}
KEYS = {
    "areas": ["ref_area"], "area_parents": ["ref_area", "parent"], "area_codes": ["scheme", "code"], "indicators": ["indicator"],
    "latest_values": ["ref_area"], "gender_gaps": ["indicator", "ref_area", "time_period", "age"],
    "coverage": ["indicator", "level", "time_period", "sex"], "indicator_values": ["indicator", "ref_area", "time_period", "sex", "age"],
    "cohesion_dispersion": ["indicator", "within", "of_level", "time_period", "sex", "statistic"],
    "index_components": ["index", "component", "indicator", "ref_area", "time_period"], "sources": ["source"], "snapshots": ["source", "part"],
    "sustainability": ["index", "component", "ref_area"], "community": ["index", "component", "ref_area"],
}  # fmt: skip
