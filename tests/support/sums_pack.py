"""A pack of sums that may go wrong without a word.

It has totals beside their parts, parents of which some areas or weights are missing, and towns that end and separate again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HEAD = {"publisher": "Office", "licence": "CC0-1.0", "theme": "municipal", "read": {"format": "csv"}}

PACK = {
    "id": "sums",
    "title": "Sums",
    "country": "XX",
    "licence": "CC0-1.0",
    "publisher": {"name": "Somebody"},
    "levels": [{"id": "town", "parents": ["county"]}, {"id": "county"}],
    "weight": "heads",
}

AREAS = {
    "earlier": ("e1", "e2"), "later": ("f1", "f2"), "never": ("n1", "n2"), "empty": ("z1", "z2"), "broken": ("s1", "s4"),
    "fine": ("s2", "s3", "s5", "s6", "s7", "s8", "s9", "s10"), "ages": ("b1", "b2", "b3", "b4", "b5"),
    "dated": ("d1", "d2"), "joined": ("j1", "j2"), "merged": ("m1", "m2"), "former": ("o1",),
}  # fmt: skip
SPANS = dict.fromkeys(("d1", "m1"), ("2000-01-01,2005-01-01", "2010-01-01,"))
"""Towns that are valid twice, by their own dates."""
# j1 ended and separated again, m1 ended and only its dates say that it is valid again; the county `former` merged into another one
MERGERS = """\
old,new,day,share
j1,j2,2005-01-01,
j2,j1,2010-01-01,0.25
m1,m2,2005-01-01,
former,dated,2010-01-01,
"""
FOLK = """\
period,code,value
2004,d1,10
2004,d2,20
2004,j1,10
2004,j2,30
2004,m1,10
2004,m2,30
2004,o1,1
2007,d1,5
2007,d2,32
2007,j2,40
2007,m2,44
2007,o1,2
2011,d1,12
2011,d2,22
2011,j1,11
2011,j2,33
2011,m1,12
2011,m2,36
2011,o1,3
"""

# e1 has lost its weight of 2021, f1 has one of 2022 only, n1 never has one
HEADS = """\
period,code,value
2019,e1,1000
2020,e1,10
2020,e2,30
2021,e2,30
2022,e1,1000
2022,f1,50
2020,f2,999
2021,f2,50
2021,n2,20
2021,z1,0
2021,z2,20
"""

# `done` lacks the first town of every county but one, `whole` has them all
DONE = """\
period,code,done,whole
2021,e2,3,6
2021,f2,3,6
2021,n2,3,6
2021,z2,3,6
"""
WHOLE = """\
period,code,all_done,all_whole
2021,n1,1,2
2021,n2,3,6
"""

# what each town has: s1 its own total, s2 none, s3 a larger one, s4 a smaller one, s5 nothing else, s6 one of men only,
# s7 one that is rounded, s8 one that is not, s9 a refused row beside it, s10 no total but people of unknown sex
SEXES = """\
code,sex,n
s1,M,4
s1,M,6
s1,F,12
s1,_T,10
s1,_T,12
s2,M,7
s2,M,1
s2,F,10
s3,M,10
s3,F,12
s3,_T,25
s4,M,10
s4,F,12
s4,_T,3
s5,_T,9
s6,M,4
s6,_T,4
s7,M,10.1
s7,F,10.1
s7,_T,20.1
s8,M,10.1
s8,F,10.1
s8,_T,19.5
s9,M,many
s9,F,12
s9,_T,22
s10,M,1
s10,_U,2
"""
# the same in two files, of which the second has the totals
TWO_PARTS = {"sexes": "code,sex,n\ns1,M,10\ns1,F,12\ns4,M,10\ns4,F,12\n", "total": "code,sex,n\ns1,_T,22\ns4,_T,3\n"}

# b2 contradicts itself, b3 has people of unknown age, the ages of b4 overlap; those of b5 are not all
AGES = """\
code,age,n
b1,Y0T14,5
b1,Y_GE15,6
b1,_T,11
b2,Y0T14,5
b2,Y_GE15,6
b2,_T,7
b3,Y0T14,5
b3,Y_GE15,6
b3,_T,13
b4,Y0T14,5
b4,Y15T64,6
b4,Y_GE65,1
b4,Y_GE15,7
b4,_T,12
b5,Y_GE65,4
b5,_T,9
"""
# published by the source itself without `aggregate`: contradictions are its own
PLAIN = "code,sex,n\ns1,M,10\ns1,F,12\ns1,_T,5\ns2,M,10\ns2,F,12\n"


def _source(name: str, columns: list[str], mapping: dict[str, Any], **more: Any) -> dict[str, Any]:
    numbers = {"value", "done", "whole", "all_done", "all_whole", "n"}
    spec = {c: {"type": "number"} if c in numbers else {} for c in columns}
    return {
        **HEAD, "id": name, "title": name, "fetch": {"url": f"data/{name}.csv"}, "into": "observations", "columns": spec,
        "map": {"area": {"scheme": "code", "code": "code"}, "period": "'2021'", **mapping}, **more,
    }  # fmt: skip


def _sum(*names: str, kind: str = "sum") -> dict[str, Any]:
    return {name: {"value": "n", "aggregate": kind} for name in names}


def _sources() -> list[dict[str, Any]]:
    areas = {"ref_area": "code", "level": "level", "name": "code", "codes": {"code": "code"}, "parents": {"county": "county"}}
    areas |= {"valid_from": "since", "valid_to": "until"}
    parts = _source("two_parts", ["code", "sex", "n"], {"sex": "sex", "measures": _sum("in_parts")})
    parts["fetch"] = {"url": "data/two_parts_{kind}.csv", "parts": {"kind": list(TWO_PARTS)}}
    return [
        {
            **HEAD, "id": "areas", "title": "areas", "fetch": {"url": "data/areas.csv"}, "into": "areas",
            "columns": {"code": {}, "level": {}, "county": {}, "since": {"type": "date"}, "until": {"type": "date"}}, "map": {"area": areas},
        },
        {
            **HEAD, "id": "mergers", "title": "mergers", "fetch": {"url": "data/mergers.csv"}, "into": "area_changes",
            "columns": {"old": {}, "new": {}, "day": {"type": "date"}, "share": {"type": "number"}},
            "map": {"from": "old", "to": "new", "on": "day", "share": "share"},
        },
        _source("folk", ["period", "code", "value"], {"period": "period", "measures": {"folk": "value"}}),
        _source("heads", ["period", "code", "value"], {"period": "period", "measures": {"heads": "value"}}),
        _source("done", ["period", "code", "done", "whole"], {"measures": {"done": "done", "whole": "whole"}}),
        _source("all_done", ["period", "code", "all_done", "all_whole"], {"measures": {"all_done": "all_done", "all_whole": "all_whole"}}),
        _source(
            "sexes", ["code", "sex", "n"], {"sex": "sex", "measures": {**_sum("people"), **_sum("largest", kind="max")}}, max_quarantined=1,
        ),
        parts,
        _source("ages", ["code", "age", "n"], {"age": "age", "measures": _sum("aged")}),
        _source("plain", ["code", "sex", "n"], {"sex": "sex", "measures": {"told": "n"}}),
    ]  # fmt: skip


def _indicator(name: str, measure: str, low: str | None = None, **more: Any) -> dict[str, Any]:
    formula: dict[str, Any] = {"numerator": [{"measure": measure}]}
    if low:
        formula["denominator"] = [{"measure": low}]
    head = {"id": name, "title": name, "objective": "ZPO2-1", "unit": "1", "direction": "none", "levels": ["town", "county"]}
    return {**head, "formula": formula, **more}


def write(folder: Path) -> Path:
    """Write the pack into `folder` and return it."""
    indicators = [
        _indicator("heads", "heads"), _indicator("done", "done"), _indicator("share", "done", "whole"),
        _indicator("all_share", "all_done", "all_whole"), _indicator("people", "people", by=["sex"]), _indicator("largest", "largest"),
        _indicator("in_parts", "in_parts", by=["sex"]), _indicator("aged", "aged", by=["age"]), _indicator("told", "told", by=["sex"]),
        _indicator("folk", "folk"),
    ]  # fmt: skip
    towns = [
        f"{town},town,{county},{span}" for county, within in AREAS.items() for town in within for span in SPANS.get(town, [","])
    ]  # fmt: skip
    files = {"pack.yml": json.dumps(PACK), "indicators/all.yml": json.dumps(indicators)}
    files |= {f"sources/{source['id']}.yml": json.dumps(source) for source in _sources()}
    tables = {
        "heads": HEADS,
        "done": DONE,
        "all_done": WHOLE,
        "sexes": SEXES,
        "ages": AGES,
        "plain": PLAIN,
        "mergers": MERGERS,
        "folk": FOLK,
    }
    tables["areas"] = "\n".join(["code,level,county,since,until", *towns, *(f"{county},county,,," for county in AREAS)]) + "\n"
    tables |= {f"two_parts_{part}": text for part, text in TWO_PARTS.items()}
    files |= {f"data/{name}.csv": text for name, text in tables.items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
