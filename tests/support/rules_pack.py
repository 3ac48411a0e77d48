"""A pack whose areas, measures and indicators are made for the evaluator's rules: small numbers, one measure or two for each rule.

Figures are written in short lines, `measure period cell=value[:status] ...`, a cell being `area[/sex[/age]]`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ACCEPT = ("--accept", "values:empty_indicators", "--reason", "two of the rules are about formulas whose terms never meet")
"""What a run of the pack needs, because its gate fails otherwise."""
LEVELS = ["town", "valley", "county", "land"]

PACK = {
    "id": "rules",
    "title": "Rules",
    "country": "XX",
    "licence": "CC0-1.0",
    "publisher": {"name": "Somebody"},
    # two parallel chains from towns to the land
    "levels": [
        {"id": "town", "parents": ["valley", "county"]},
        {"id": "valley", "parents": ["land"]},
        {"id": "county", "parents": ["land"]},
        {"id": "land"},
    ],
    "weight": "heads",
}

# old and new never have a weight; old ends and new begins in the middle of things
AREAS_CSV = """\
code,level,valley,county,land,size,km2,from,to
t1,town,V1,C1,,big,2,,
t2,town,V1,C1,,big,4,,
t3,town,V2,C1,,small,,,
t4,town,V2,C2,,small,,,
t5,town,V2,C2,,small,,,
t8,town,V3,C3,,small,,,
t9,town,V3,C3,,small,,,
old,town,V3,C3,,small,,,2011-01-01
new,town,V3,C3,,small,,2010-07-01,2012-01-01
V1,valley,,,X,,,,
V2,valley,,,X,,,,
V3,valley,,,X,,,,
C1,county,,,X,,,,
C2,county,,,X,,,,
C3,county,,,X,,,,
X,land,,,,,,,
"""

# the weights of 2021 are 10, 30, 20, 40 of t1 to t4 and 0 of the others, those of 2018 all the same; 2023 has no total
HEADS = """
heads 2018 t1=100 t2=100 t3=100 t4=100 t5=100
heads 2021 t1=10 t2=30 t3=20 t4=40 t5=0 t8=0 t9=0
heads 2023 t1/M=7
"""

FIGURES = """
people 2021 t1/M=1 t1/F=2 t1=10 t2/M=1 t2/F=2 t2/_U=4 t3/M=5 t3/_U=4 t4/M= t4/F=2 t5/M=1 t8/M=1 t8/F=2
mark 2021 t1/M=1 t1/F=2
by_age 2021 t1/_T/Y0T14=1 t1/_T/Y_GE15=2
aged 2021 t1/F/Y_GE65=3 t1/M/Y_GE65=5
quarterly 2021-Q1 t1=1
quarterly 2021-Q2 t1=1
quarterly 2021-Q3 t1=1
quarterly 2021-Q4 t1=1

twice 2021 t1=5 t1=5 t2=5 t2=6 t3=1

pair 2021 t1=1 t2=2 t3=4 t4=8 t5=16 t8=32 t9=64
both_ways 2021 t1=1 t2=2 V1=999 V2=50
only_part 2021 t1=1 C3=7
told 2021 t1=1 V2=5:C
part 2021 t1=1 t2=2 t3=3 t4=4 t5=5
whole 2021 t1=10 t2=5 t4=0 t5=7
whole 2022 t1=1
cov_part 2021 t2=1 t3=2 t4=3
cov_whole 2021 t2=2 t3=4 t4=4
lone 2021 t8=1
weighing 2015 t1=1
weighing 2020 t1=1
weighing 2021 t1=1
weighing 2023 t1=1
grain 2020 C1=10 C2=20 C3=5
grain 2021 t1=1 C2=20
grain_base 2020 t1=1 C1=100 C2=100 C3=100
mean_age 2021 t2=20 t3=50 t4=35
residents 2021 t2=30 t3=20 t4=50
stays 2021 t1=5 t2=7
price 2021 t1=3 t2=5
pieces 2021 t1=2 t2=4

refused 2021 t1=1
refused 2022 t1=abc
refused 2023 zz=1
living 2010 t8=1 t9=2 old=4
living 2010-Q3 new=3
living 2011 t8=1 t9=2 new=8 old=5
living 2012 t8=1 t9=2

flagged 2021 t1=1:B t2=1:E t3=1:I t4=1:P t5=1:A
flag_top 2021 t1=1:E t2=1:P t3=1:B
flag_low 2021 t1=1:P t2=1:I t3=1:E
lack_top 2021 t1=1:C t2=abc t3= t4= t5=1:C
lack_low 2021 t1= t2= t4=0 t5=abc
quiet 2021 t1=1:C t2=1:C t3= t4=1:C t5=1:C
zero_low 2021 t1=0 t2=0
late_low 2025 t1=1:C t2=abc t3= t4=1

flow 2019 t1=1 t2=2 t3=0
flow 2020 t1=3 t3=1
flow 2021 t1=5 t2=4 t3=0
stock 2019 t1=10 t2=10
stock 2020 t1=10 t2=10
stock 2021 t1=20 t2=20
seasonal 2020-Q3 t1=1
seasonal 2021-Q2 t1=100
seasonal 2021-Q3 t1=2

amount 2019 t1=12
amount 2020 t1=10 t2=0 t3=-5 t4=20
amount 2021 t1=15 t2=5 t3=5 t4=0
joined 2020 t1=10 t3=20 t4=40
joined 2021 t1=12 t2=100 t3=30 t4=50 t5=1000
thirds 2020 t1=1
thirds 2021 t1=2
of_thirds 2020 t1=3
of_thirds 2021 t1=3
rebased 2020 t1=1 t2=1
rebased 2021 t1=2 t2=2
rebased 2022 t1=4 t2=4

own 2021 t1=1 t2=1
own 2022 t1=1

mended 2021 t1=120 t2=3
"""
# a slip of the provider, as the pack corrects it
CORRECTION = {
    "where": "measure = 'mended' and code = 't1'", "set": {"value": "12"}, "expect": {"value": "120"}, "reason": "a zero too many",
}  # fmt: skip

# in 2022 only t1 and t2 are in this source
OTHERS = """
people 2021 t5/F=2 t8=9
twice 2021 t3=2 t4=7
sparse 2022 t1=1
neighbour 2022 t2=1
"""

GRANTS = "granted 2021 t1=5 t4=abc t5=1:C t8="
SUBSIDIES = "subsidy 2021 t1=3"
LATE_2021 = "late 2021 t1=1"

BALLOTS_CSV = """\
year,code,sex,kind,money
2021,t1,F,list,10
2021,t1,F,list,20
2021,t2,M,list,5
2021,t2,F,list,6
2021,t2,_U,list,7
2021,t3,M,other,1
"""
TALLIES_CSV = """\
year,code,sex,kind,money
2021,t1,F,list,1
2021,t1,M,list,1
2021,t1,M,list,1
"""

PROGRAMME_CSV = """\
id,start,code,category,free,status
e1,2021-03-01,t1,culture,true,scheduled
e2,2021-05-01,t1,culture,false,scheduled
e3,2021-06-01,t1,culture,true,cancelled
e4,2021-06-02,t1,sport,true,scheduled
e5,2022-01-05,t2,culture,true,scheduled
"""
MEMBERS_CSV = """\
id,code,from,to,kind
m1,t1,2020-01-01,2022-01-01,full
m2,t1,2020-06-01,,full
m3,t2,2023-01-01,,full
m4,t1,2020-01-01,,guest
"""


def _csv(figures: str) -> str:
    lines = ["measure,period,code,sex,age,value,status"]
    for line in filter(None, map(str.strip, figures.splitlines())):
        measure, period, *cells = line.split()
        for text in cells:
            cell, _, given = text.partition("=")
            code, sex, age = [*cell.split("/"), "_T", "_T"][:3]
            value, _, status = given.partition(":")
            lines.append(",".join((measure, period, code, sex, age, value, status or "A")))
    return "\n".join(lines) + "\n"


def _head(name: str, url: str, into: str) -> dict[str, Any]:
    return {
        "id": name, "title": name, "publisher": "Office", "licence": "CC0-1.0", "theme": "municipal",
        "fetch": {"url": url}, "read": {"format": "csv"}, "into": into,
    }  # fmt: skip


def _figures(name: str, figures: str, special: dict[str, dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A source of figures; each measure is selected by its name. `special` adds to the declaration of single measures."""
    names = dict.fromkeys(line.split()[0] for line in figures.splitlines() if line.strip())
    measures = {m: {"value": "value", "where": f"measure = '{m}'", **(special or {}).get(m, {})} for m in [*names, *(special or {})]}
    columns = {**{key: {"required": True} for key in ("measure", "period", "code", "sex", "age", "status")}, "value": {"type": "number"}}
    mapping = {"area": {"scheme": "code", "code": "code"}, "period": "period", "sex": "sex", "age": "age", "status": "status"}
    return {**_head(name, f"data/{name}.csv", "observations"), "columns": columns, "map": {**mapping, "measures": measures}, **more}


def _rows(name: str, measures: dict[str, Any]) -> dict[str, Any]:
    """A source whose rows are counted and summed."""
    columns = {**{key: {"required": True} for key in ("year", "code", "sex", "kind")}, "money": {"type": "number"}}
    mapping = {"area": {"scheme": "code", "code": "code"}, "period": "year", "sex": "sex", "measures": measures}
    return {**_head(name, f"data/{name}.csv", "observations"), "columns": columns, "map": mapping}


def _sources() -> list[dict[str, Any]]:
    area = {
        "ref_area": "code", "level": "level", "name": "code", "codes": {"code": "code"}, "area_km2": "km2",
        "parents": {"valley": "valley", "county": "county", "land": "land"}, "attributes": {"size": "size"},
        "valid_from": '"from"', "valid_to": '"to"',
    }  # fmt: skip
    dates = {"from": {"type": "date"}, "to": {"type": "date"}}
    texts: dict[str, Any] = {key: {} for key in ("code", "level", "valley", "county", "land", "size")}
    special: dict[str, dict[str, Any]] = {
        "mark": {"additive": False},
        "mean_age": {"additive": False, "weighted_by": "residents"},
        "stays": {"additive": False},
        "absent": {},
    }
    late = _figures("late", LATE_2021, optional=True)
    late["fetch"] = {"url": "data/late_{year}.csv", "parts": {"year": ["2021", "2025"]}}
    late["map"]["period"] = "year"
    late["columns"] = {k: v for k, v in late["columns"].items() if k != "period"}
    one = {"value": "1", "aggregate": "sum"}
    place = {"scheme": "code", "code": "code"}
    return [
        {**_head("areas", "data/areas.csv", "areas"), "columns": {**texts, "km2": {"type": "number"}, **dates}, "map": {"area": area}},
        _figures("heads", HEADS),
        _figures("figures", FIGURES, special, breaks=[{"measure": "rebased", "period": "2021"}], corrections=[CORRECTION]),
        _figures("others", OTHERS),
        _figures("grants", GRANTS, universe="all"),
        _figures("subsidies", SUBSIDIES, universe="size = 'big'"),
        late,
        _rows(
            "ballots",
            {"candidates": one, "listed": {**one, "where": "kind = 'list'"}, "money": {"value": "money", "aggregate": "sum"}, "counted": one},
        ),
        _rows("tallies", {"counted": one}),
        {
            **_head("programme", "data/programme.csv", "events"),
            "columns": {
                **{key: {} for key in ("id", "code", "category", "status")}, "start": {"type": "date"}, "free": {"type": "boolean"},
            },
            "map": {"id": "id", "start": "start", "area": place, "category": "category", "is_free": "free", "status": "status"},
        },
        {
            "id": "concerts", "from": "events", "where": "category = 'culture' and status <> 'cancelled'", "period": "year(start)",
            "measures": {"concerts": "count(*)", "concerts_free": "count(*) filter (where is_free)"}, "universe": "size = 'big'",
        },
        {
            **_head("members", "data/members.csv", "register"), "columns": {"id": {}, "code": {}, "kind": {}, **dates},
            "map": {"register": "'club'", "id": "id", "area": place, "valid_from": '"from"', "valid_to": '"to"', "attributes": {"kind": "kind"}},
        },
        {
            "id": "memberships", "from": "register", "where": "kind = 'full'", "measures": {"members": "count(*)"}, "universe": "size = 'big'",
        },
    ]  # fmt: skip


def indicator(name: str, top: str | list[dict[str, Any]], low: str | None = None, **more: Any) -> dict[str, Any]:
    """An indicator of one measure (`top`), or of two (`top` over `low`); formula keys and others are told apart."""
    formula: dict[str, Any] = {"numerator": [{"measure": top}] if isinstance(top, str) else top}
    if low is not None:
        formula["denominator"] = [{"measure": low}]
    formula |= {k: more.pop(k) for k in ("multiplier", "window", "missing", "change") if k in more}
    head = {"id": name, "title": name, "objective": "ZPO2-1", "unit": "1", "direction": "none"}
    return {**head, "formula": formula, "levels": LEVELS, **more}


def _indicators() -> list[dict[str, Any]]:
    alone = ("by_age", "quarterly", "twice", "both_ways", "lone", "grain", "mean_age", "stays", "refused", "living", "flagged",
             "quiet", "told", "late", "counted", "money", "sparse", "rebased", "concerts", "concerts_free", "members", "mended")  # fmt: skip
    three = {"years": 3, "agg": "sum"}
    return [
        *(indicator(name, name) for name in alone),
        *(indicator(name, name, by=["sex"]) for name in ("people", "mark", "candidates", "listed")),
        indicator("listed_or_zero", "listed", by=["sex"], missing="zero"),
        indicator("old_women", [{"measure": "aged", "sex": "F", "age": "Y_GE65"}]),
        indicator("total", "pair"),
        indicator("two_levels", "pair", levels=["town", "land"]),
        indicator("upper_level", "pair", levels=["county"]),
        indicator("both_ways_per_area", "both_ways", "areas"),
        indicator("mismatched", "seasonal", "stock"),
        indicator("both_ways_reported", "both_ways", rollup="reported"),
        indicator("half_reported", "only_part", "whole"),
        indicator("ratio", "part", "whole"),
        indicator("covered", "cov_part", "cov_whole"),
        indicator("covered_sum", "cov_part"),
        indicator("weighing", "weighing", "areas"),
        indicator("grain_ratio", "grain", "grain_base"),
        indicator("spent", [{"measure": "pieces", "times": "price"}]),
        indicator("per_area", "pair", "areas"),
        indicator("per_km2", "pair", "area_km2"),
        indicator("nothing", "absent", levels=["town", "county"]),
        indicator("flag_ratio", "flag_top", "flag_low"),
        indicator("lack_ratio", "lack_top", "lack_low"),
        indicator("lack_elsewhere", "lack_low", "sparse"),
        indicator("zero_ratio", "flow", "zero_low"),
        indicator("late_ratio", "late", "late_low"),
        indicator("window_of_two", "flow", "stock", window={**three, "min": 2}),
        indicator("window_of_three", "flow", "stock", window={**three, "min": 3}),
        indicator("window_mean", "flow", window={**three, "agg": "mean", "min": 2}),
        indicator("window_count", "flow", window={**three, "agg": "count_nonzero", "min": 3}),
        indicator("window_of_quarters", "seasonal", window={"years": 2, "agg": "sum", "min": 2}),
        indicator("change_percent", "amount", change={"years": 1, "kind": "percent"}),
        indicator("change_difference", "amount", change={"years": 1, "kind": "difference"}),
        indicator("change_log", "amount", change={"years": 1, "kind": "log_ratio"}),
        indicator("change_two", "amount", change={"years": 2, "kind": "percent"}),
        indicator("change_joined", "joined", change={"years": 1, "kind": "percent"}),
        indicator("change_ratio", "thirds", "of_thirds", multiplier=100, decimals=0, change={"years": 1, "kind": "difference"}),
        indicator("change_of_window", "flow", window={"years": 2, "agg": "sum", "min": 2}, change={"years": 1, "kind": "difference"}),
        indicator("lagged", [{"measure": "flow", "lag": 1}]),
        indicator("growth", [{"measure": "flow"}, {"measure": "flow", "lag": 1, "factor": -1}]),
        indicator("lagged_quarter", [{"measure": "seasonal", "lag": 1}]),
        indicator("rebased_change", "rebased", change={"years": 1, "kind": "difference"}),
        indicator("rebased_two", "rebased", change={"years": 2, "kind": "difference"}),
        indicator("support", [{"measure": "granted"}, {"measure": "own"}], missing="zero"),
        indicator("granted_per_own", "granted", "own", missing="zero"),
        indicator("subsidy_or_zero", "subsidy", missing="zero"),
        indicator("sparse_or_zero", "sparse", missing="zero"),
        indicator("late_or_zero", "late", missing="zero"),
        {"id": "needed_only", "title": "x", "objective": "ZPO2-1", "unit": "1", "direction": "none", "needed": "a survey"},
    ]


def write(folder: Path) -> Path:
    """Write the pack into `folder` and return it. The part 2025 of the source `late` has no file: its source is down."""
    files = {"pack.yml": json.dumps(PACK), "indicators/all.yml": json.dumps(_indicators())}
    files |= {f"sources/{source['id']}.yml": json.dumps(source) for source in _sources()}
    tables = {"areas": AREAS_CSV, "ballots": BALLOTS_CSV, "tallies": TALLIES_CSV, "programme": PROGRAMME_CSV, "members": MEMBERS_CSV}
    figures = {"heads": HEADS, "figures": FIGURES, "others": OTHERS, "grants": GRANTS, "subsidies": SUBSIDIES, "late_2021": LATE_2021}
    tables |= {name: _csv(text) for name, text in figures.items()}
    files |= {f"data/{name}.csv": text for name, text in tables.items()}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder
