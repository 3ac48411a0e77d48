"""One pack out of many cases: each file a source of its own, beside one honest source and an indicator that must come out right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.hostile.case import AREAS, Case

PACK = """\
id: hostile
title: Hostile input
country: CZ
licence: CC0-1.0
publisher: {name: Nobody}
levels: [{id: lau, parents: [nuts0]}, {id: nuts0}]
"""

TERRITORY = """\
id: a_territory
title: Areas
publisher: Nobody
licence: CC0-1.0
theme: municipal
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {ref: {required: true}, name: {}, level: {}, state: {}, cz: {}, sk: {}, born: {type: date}, ended: {type: date}}
into: areas
map:
  area: {ref_area: ref, level: level, name: name, codes: {cz: cz, sk: sk}, parents: {nuts0: state}, valid_from: born, valid_to: ended}
"""

HONEST = """\
id: honest
title: An honest source
publisher: Nobody
licence: CC0-1.0
theme: census
fetch: {url: data/honest.csv}
read: {format: csv}
columns: {code: {required: true}, value: {type: number}}
into: observations
map: {area: {scheme: cz, code: code}, period: "'2021'", measures: {population: value}}
"""

INDICATOR = """\
id: population
title: Population
objective: ZPO2-3
unit: persons
direction: none
formula: {numerator: [{measure: population}]}
levels: [lau, nuts0]
"""

HONEST_CSV = "code,value\n554782,10\n582786,20\n500011,30\n001234,40\n500030,50\n"


def write(folder: Path, cases: Sequence[Case]) -> Path:
    """Write the pack with a source for each case, and return its folder."""
    areas = "ref,name,level,state,cz,sk,born,ended\nS,Stát,nuts0,,,,,\nT,Jinde,nuts0,,,,,\n"
    for ref, name, cz, sk, born, ended in AREAS:
        areas += f"{ref},{name},lau,{'S' if cz else 'T'},{cz},{sk},{born},{ended}\n"  # of those in the state all report
    texts = {
        "pack.yml": PACK, "sources/a_territory.yml": TERRITORY, "sources/honest.yml": HONEST, "indicators/population.yml": INDICATOR,
        "data/areas.csv": areas, "data/honest.csv": HONEST_CSV,
    }  # fmt: skip
    texts |= {f"sources/{case.id}.yml": case.declaration() for case in cases}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for case in cases:
        (folder / "data" / case.file).write_bytes(case.content())
    return folder
