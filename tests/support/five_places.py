"""A pack made by somebody else: five municipalities, two parallel chains of parents, one CSV of people by sex, a few indicators."""

from __future__ import annotations

from pathlib import Path

PACK = """\
id: five
title: Five places
country: CZ
licence: CC0-1.0
publisher: {name: Somebody}
formats: [csv, parquet, duckdb, xlsx, jsonstat, geo, api, site, sdmx]
levels:
  - {id: lau, parents: [orp, okres]}
  - {id: orp, parents: [nuts0]}
  - {id: okres, parents: [nuts0]}
  - {id: nuts0}
weight: population
"""
ONLY_TABLES = PACK.replace("[csv, parquet, duckdb, xlsx, jsonstat, geo, api, site, sdmx]", "[csv, parquet]")
"""The description of the pack for tests that read nothing but tables: the other formats take a third of the time of a run."""

AREAS = """\
id: areas
title: Areas
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {code: {required: true}, name: {}, level: {}, orp: {}, okres: {}, state: {}}
into: areas
map:
  area: {ref_area: code, level: level, name: name, codes: {lau: code}, parents: {orp: orp, okres: okres, nuts0: state}}
"""

AREAS_CSV = """\
code,name,level,orp,okres,state
a1,Alder,lau,R1,O1,
a2,Birch,lau,R1,O1,
a3,Cedar,lau,R2,O1,
a4,Dogwood,lau,R2,O2,
a5,Elm,lau,R2,O2,
R1,North,orp,,,S
R2,South,orp,,,S
O1,East,okres,,,S
O2,West,okres,,,S
S,State,nuts0,,,
"""

PEOPLE = """\
id: people
title: People
publisher: Office
licence: CC0-1.0
theme: census
fetch: {url: "data/people_{year}.csv", parts: {year: [2020, 2021]}}
read: {format: csv, ignore: "code = 'Total'"}
columns:
  year: {type: integer, required: true}
  code: {required: true}
  sex: {values: [M, F]}
  persons: {type: integer, min: 0}
into: observations
map:
  area: {scheme: lau, code: code}
  period: year
  sex: sex
  measures: {population: persons}
"""

PEOPLE_2020 = """\
code,sex,persons
a1,M,10
a1,F,12
a2,M,20
a2,F,22
a3,M,30
a3,F,28
a4,M,40
a4,F,44
a5,M,50
a5,F,50
Total,,306
"""

PEOPLE_2021 = PEOPLE_2020.replace("a1,M,10", "a1,M,13").replace("306", "309")

INDICATORS = """\
- id: women_share
  title: {en: Share of women}
  objective: ZPO2-1
  unit: "%"
  direction: none
  formula: {numerator: [{measure: population, sex: F}], denominator: [{measure: population, sex: _T}], multiplier: 100}
  levels: [lau, orp, okres, nuts0]
- id: population
  title: Population
  objective: ZPO2-3
  field: social
  unit: persons
  direction: higher_better
  formula: {numerator: [{measure: population}]}
  by: [sex]
  levels: [lau, orp, okres, nuts0]
- id: unknown_yet
  title: Not collected
  objective: ZPO2-2
  unit: "1"
  direction: none
  needed: a survey of households
"""

INDEX = """\
id: wellbeing
title: Wellbeing
objective: ZPO2-3
level: lau
components:
  - {id: people, components: [{indicator: population}, {indicator: women_share, direction: higher_better}]}
"""

FILES = {
    "pack.yml": PACK,
    "sources/areas.yml": AREAS,
    "sources/people.yml": PEOPLE,
    "indicators/all.yml": INDICATORS,
    "indices/wellbeing.yml": INDEX,
    "data/areas.csv": AREAS_CSV,
    "data/people_2020.csv": PEOPLE_2020,
    "data/people_2021.csv": PEOPLE_2021,
}


def write(folder: Path, **changes: str) -> Path:
    """Write the pack into `folder`; `changes` replace or add files, with `__` for `/` and a trailing `_csv` or `_yml` for the ending."""
    files = dict(FILES)
    for name, text in changes.items():
        stem, _, ending = name.rpartition("_")
        files[f"{stem.replace('__', '/')}.{ending}"] = text
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
