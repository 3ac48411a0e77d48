"""A pack with three municipalities of one name, and with counts that are confidential: what packs/demo does not have."""

from __future__ import annotations

from pathlib import Path

PACK = """\
id: namesakes
title: {en: Namesakes, cs: Jmenovci}
country: CZ
licence: CC-BY-4.0
publisher: {name: Somebody}
languages: [cs, en]
levels:
  - {id: obec, title: {en: municipality, cs: obec}, parents: [okres]}
  - {id: okres, title: {en: district, cs: okres}, parents: [stat]}
  - {id: stat, title: {en: state, cs: stát}}
"""
AREAS = """\
id: areas
title: Areas
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {code: {required: true}, name: {}, level: {}, okres: {}}
into: areas
map:
  area:
    ref_area: code
    level: level
    name: name
    codes: {lau: "replace(code, 'X_', '')"}
    parents: {okres: okres, stat: "case when level = 'okres' then 'X' end"}
"""
AREAS_CSV = """\
code,name,level,okres
X_101,Čistá,obec,X_1
X_102,Lhota,obec,X_1
X_103,Rakovník,obec,X_1
X_201,Čistá,obec,X_2
X_202,Litomyšl,obec,X_2
X_203,Svitavy,obec,X_2
X_301,Čistá,obec,X_3
X_302,Kosmonosy,obec,X_3
X_303,Mladá Boleslav,obec,X_3
X_1,Rakovník,okres,
X_2,Svitavy,okres,
X_3,Mladá Boleslav,okres,
X,Stát,stat,
"""
HEALTH = """\
id: health
title: {en: Health, cs: Zdraví}
publisher: Institute
licence: CC-BY-4.0
theme: municipal
fetch: {url: data/health.csv}
read: {format: csv}
columns: {code: {required: true}, year: {type: integer}, ill: {type: integer}, people: {type: integer}}
into: observations
map:
  area: {scheme: lau, code: "replace(code, 'X_', '')"}
  period: year
  measures: {ill: ill, people: people}
"""
ILL = {
    "X_101": (3, 120), "X_102": (25, 260), "X_103": (300, 15800), "X_201": (40, 900), "X_202": (210, 10100), "X_203": (350, 16700),
    "X_301": (2, 780), "X_302": (60, 5000), "X_303": (800, 44000),
}  # fmt: skip
"""People who are ill, and all people, by municipality."""
INDICATORS = """\
- id: ill_share
  title: {en: Share of the ill, cs: Podíl nemocných}
  description: {en: People who are ill., cs: Nemocní lidé.}
  objective: ZPO2-1
  unit: "%"
  direction: lower_better
  decimals: 1
  interval: proportion
  confidential_below: 5
  formula: {numerator: [{measure: ill}], denominator: [{measure: people}], multiplier: 100}
  levels: [obec, okres, stat]
- id: people
  title: {en: People, cs: Obyvatelé}
  description: {en: All people., cs: Všichni lidé.}
  objective: ZPO2-1
  unit: {en: persons, cs: osob}
  direction: none
  decimals: 0
  formula: {numerator: [{measure: people}]}
  levels: [obec, okres, stat]
"""


def write(folder: Path) -> Path:
    """Write the pack into `folder`, and return it."""
    health = [f"{code},{year},{ill},{people}" for year in (2020, 2021) for code, (ill, people) in ILL.items()]
    files = {
        "pack.yml": PACK, "sources/areas.yml": AREAS, "sources/health.yml": HEALTH, "indicators/all.yml": INDICATORS,
        "data/areas.csv": AREAS_CSV, "data/health.csv": "\n".join(["code,year,ill,people", *health]) + "\n",
    }  # fmt: skip
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
