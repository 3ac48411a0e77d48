"""A pack over ten years: a merge, a split and a new code in county V; in county W towns whose wages draw together. To follow by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PACK = {
    "id": "decade",
    "title": "A decade",
    "country": "XX",
    "licence": "CC0-1.0",
    "publisher": {"name": "Somebody"},
    "levels": [{"id": "town", "parents": ["county"]}, {"id": "county", "parents": ["land"]}, {"id": "land"}],
    "weight": "heads",
    "peers": {"k": 2, "by": ["heads", "wage"]},
}

# e was e0 until 2015, and only the change knows e0
AREAS_CSV = """\
code,level,parent,from,to
a,town,V,,
b,town,V,,
c,town,V,,
d,town,V,,
e,town,V,2015-01-01,
old1,town,V,,2015-01-01
old2,town,V,,
w1,town,W,,
w2,town,W,,
w3,town,W,,
w4,town,W,,
w5,town,W,,
w6,town,W,,
V,county,X,,
W,county,X,,
X,land,,,
"""

# d passes nothing on; old2 goes to b and c; `nowhere` is no area, a share is a part of one
CHANGES_CSV = """\
old,new,day,part
old1,a,2015-01-01,
old2,b,2015-01-01,0.25
old2,c,2015-01-01,0.75
e0,e,2015-01-01,
d,nowhere,2015-01-01,
d,a,2015-01-01,1.5
d,a,,
"""

FIGURES = """\
heads 2010 a=100 old1=50 b=200 c=300 old2=80 d=400 e0=500
heads 2015 a=160 b=230 c=350 d=390 e=520 old1=55 old2=81
heads 2020 a=170 b=240 c=340 d=380 e=530 w1=10 w2=20 w3=30 w4=40 w5=50 w6=
mean_age 2010 a=40 old1=46 b=30 c=31 old2=32 d=33 e0=35
height 2010 a=1 old1=2 b=3 c=4 d=5 e0=7
cars 2010 a=10 b=20 old2= c=30 d=40 e0=50
wage 2010 w1=100 w2=120 w3=150 w4=200 w5=300
wage 2015 w1=115 w2=136 w3=168 w4=214 w5=305
wage 2020 w1=130 w2=150 w3=185 w4=230 w5=310 w6=400
rent 2010 w1=100 w2=120 w3=150 w4=200 w5=300
rent 2020 w1=130 w2=150 w3=185 w4=230 w5=310
flat 2010 w1=5 w2=5 w3=5 w4=5 w5=5
flat 2020 w1=6 w2=7 w3=8 w4=9 w5=10
loss 2010 w1=5 w2=-1 w3=5
loss 2020 w1=6 w2=7 w3=8
apart 2010 w1=100 w2=200 w3=300 w4=400
apart 2020 w1=100 w2=300 w3=600 w4=1000
"""

CLUBS_CSV = "town,year\na,2010\na,2010\nb,2010\nold2,2010\nold2,2010\nold2,2010\nold2,2010\n"

MEASURES: dict[str, dict[str, Any]] = {
    "heads": {}, "mean_age": {"additive": False, "weighted_by": "heads"}, "height": {"additive": False}, "cars": {}, "wage": {}, "rent": {},
    "flat": {}, "loss": {}, "apart": {},
}  # fmt: skip

LEVELS = ["town", "county", "land"]


def _indicator(name: str, formula: dict[str, Any], **more: Any) -> dict[str, Any]:
    head = {"id": name, "title": name, "objective": "ZPO2-1", "unit": "1", "direction": "higher_better", "levels": LEVELS}
    return {**head, "formula": formula, **more}


def _single(name: str, **more: Any) -> dict[str, Any]:
    return _indicator(name, {"numerator": [{"measure": name}]}, **more)


INDICATORS = [
    _single("heads"), _single("mean_age"), _single("height"), _single("cars"), _single("clubs"),
    _single("wage", convergence=[["2010", "2020"], ["2010", "2015"]]), _single("rent"), _single("flat"), _single("loss"), _single("apart"),
    _indicator("wage_goal", {"numerator": [{"measure": "wage"}]}, target_value=200),
    _indicator("wage_less", {"numerator": [{"measure": "wage"}]}, direction="lower_better"),
    _indicator("wage_met", {"numerator": [{"measure": "wage"}]}, direction="target", target_value=160),
    _indicator("wage_plain", {"numerator": [{"measure": "wage"}]}, direction="none"),
    _indicator("cars_per_head", {"numerator": [{"measure": "cars"}], "denominator": [{"measure": "heads"}]}),
    _indicator("growth", {"numerator": [{"measure": "heads"}], "change": {"years": 5}}),
]  # fmt: skip

INDEX = {
    "id": "pay", "title": "Pay", "objective": "ZPO2-3", "level": "town", "period": "latest",
    "components": [{"id": "money", "components": [{"indicator": "wage"}]}],
}  # fmt: skip


def _source(name: str, into: str, columns: dict[str, Any], how: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": name, "title": name, "publisher": "Office", "licence": "CC0-1.0", "theme": "municipal", "fetch": {"url": f"data/{name}.csv"},
        "read": {"format": "csv"}, "columns": columns, "into": into, "map": how, **more,
    }  # fmt: skip


SOURCES = [
    _source(
        "areas", "areas", {"code": {}, "level": {}, "parent": {}, "from": {"type": "date"}, "to": {"type": "date"}},
        {"area": [
            {"ref_area": "code", "level": "level", "name": "code", "valid_from": '"from"', "valid_to": '"to"',
             "parents": {"county": "case level when 'town' then parent end", "land": "case level when 'county' then parent end"}},
        ]},
    ),
    _source(
        "changes", "area_changes", {"old": {}, "new": {}, "day": {"type": "date"}, "part": {"type": "number"}},
        {"from": "old", "to": "new", "on": "day", "share": "part"},
    ),
    _source(
        "figures", "observations", {"measure": {}, "year": {}, "area": {}, "amount": {"type": "number"}},
        {"area": {"ref_area": "area"}, "period": "year",
         "measures": {m: {"value": "amount", "where": f"measure = '{m}'", **how} for m, how in MEASURES.items()}},
        breaks=[{"measure": "rent", "period": "2015"}],
    ),
    _source(
        "clubs", "observations", {"town": {}, "year": {}},
        {"area": {"ref_area": "town"}, "period": "year", "measures": {"clubs": {"value": "1", "aggregate": "sum"}}},
    ),
]  # fmt: skip


def _figures() -> str:
    rows = ["measure,year,area,amount"]
    for line in FIGURES.splitlines():
        measure, year, *cells = line.split()
        rows += [f"{measure},{year},{cell.replace('=', ',')}" for cell in cells]
    return "\n".join(rows) + "\n"


def write(folder: Path) -> Path:
    """Write the pack into `folder`; JSON is YAML."""
    files = {f"sources/{s['id']}.yml": json.dumps(s) for s in SOURCES}
    files |= {"pack.yml": json.dumps(PACK), "indicators/all.yml": json.dumps(INDICATORS), "indices/pay.yml": json.dumps(INDEX)}
    files |= {"data/areas.csv": AREAS_CSV, "data/changes.csv": CHANGES_CSV, "data/figures.csv": _figures(), "data/clubs.csv": CLUBS_CSV}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
