"""A pack with confidential counts: three levels, two sexes, a count and its complement, an index, intervals, and a source that marks cells as C.

The counts are unusual, so that a test can look for them in every file of a release.
"""

from __future__ import annotations

from pathlib import Path

PACK = """\
id: secret
title: Secret counts
country: CZ
licence: CC0-1.0
publisher: {name: Office}
formats: [csv, parquet, duckdb, xlsx, jsonstat, api, site, sdmx]
levels:
  - {id: lau, parents: [okres]}
  - {id: okres, parents: [nuts0]}
  - {id: nuts0}
"""
AREAS = """\
id: areas
title: Areas
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {code: {required: true}, level: {}, okres: {}, state: {}}
into: areas
map:
  area: {ref_area: code, level: level, codes: {lau: code}, parents: {okres: okres, nuts0: state}}
"""
AREAS_CSV = "code,level,okres,state\n" + "".join(f"{a},lau,O{1 if int(a[1:]) < 6 else 2},\n" for a in (f"a{i}" for i in range(1, 11)))
AREAS_CSV += "O1,okres,,S\nO2,okres,,S\nS,nuts0,,\n"
CASES = """\
id: cases
title: Cases
publisher: Office
licence: CC0-1.0
theme: census
fetch: {url: "data/cases_{year}.csv", parts: {year: [2020, 2021]}}
read: {format: csv}
columns: {code: {required: true}, year: {type: integer}, sex: {values: [M, F]}, ill: {type: integer}, well: {type: integer}}
into: observations
map:
  area: {scheme: lau, code: code}
  period: year
  sex: sex
  measures: {ill: ill, well: well}
"""
BEDS = """\
id: beds
title: Beds
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/beds.csv}
read: {format: csv, na: ["", "x"]}
columns: {code: {required: true}, scheme: {required: true}, beds: {type: number}, flag: {}}
into: observations
map:
  area: {ref_area: code}
  period: "'2021'"
  status: "case when flag = 'c' then 'C' else 'A' end"
  measures: {beds: beds}
"""
# the office gives the beds of all districts, and hides those of one place in the first
BEDS_CSV = "code,scheme,beds,flag\n" + "".join(
    f"a{i},lau,{'' if i == 2 else 700_067 + 1009 * i},{'c' if i == 2 else ''}\n" for i in range(1, 6)
)
BEDS_CSV += "O1,okres,3515911,\nO2,okres,2024333,\nS,nuts0,5540244,\n"
INDICATORS = """\
- id: ill_share
  title: Share of ill people
  objective: ZPO2-3
  unit: "%"
  direction: lower_better
  formula: {numerator: [{measure: ill}], denominator: [{measure: ill}, {measure: well}], multiplier: 100}
  by: [sex]
  interval: proportion
  confidential_below: 11
  levels: [lau, okres, nuts0]
- id: well_share
  title: Share of well people
  objective: ZPO2-3
  unit: "%"
  direction: higher_better
  formula: {numerator: [{measure: well}], denominator: [{measure: ill}, {measure: well}], multiplier: 100}
  by: [sex]
  interval: proportion
  levels: [lau, okres, nuts0]
- id: beds
  title: Beds
  objective: ZPO2-3
  unit: beds
  direction: higher_better
  rollup: reported
  formula: {numerator: [{measure: beds}]}
  levels: [lau, okres, nuts0]
"""
INDEX = """\
id: health
title: Health
objective: ZPO2-3
level: lau
components:
  - {id: people, components: [{indicator: ill_share}, {indicator: beds}]}
uncertainty: {replicates: 20, seed: 1, vary: [weights]}
"""
ILL = {
    "a1": (7, 23),
    "a2": (41, 37),
    "a3": (59, 61),
    "a4": (67, 71),
    "a5": (83, 89),
    "a6": (97, 101),
    "a7": (103, 107),
    "a8": (9, 8),
    "a9": (109, 113),
    "a10": (127, 131),
}
"""The ill men and women of each place. Three counts are below 11."""


def well(area: str, sex: str, year: int) -> int:
    """Return a count that is found nowhere else."""
    return 1_300_021 + 7919 * int(area[1:]) + (104_729 if sex == "F" else 0) + 611 * (year - 2020)


def cases(year: int, ill: dict[str, tuple[int, int]] | None = None) -> str:
    """Return the file of a year; the well are more, and their numbers are found nowhere else."""
    lines = ["code,year,sex,ill,well"]
    for area, by_sex in (ill or ILL).items():
        for sex, count in zip("MF", by_sex, strict=True):
            lines.append(f"{area},{year},{sex},{count},{well(area, sex, year)}")
    return "\n".join(lines) + "\n"


FILES = {
    "pack.yml": PACK, "sources/areas.yml": AREAS, "sources/cases.yml": CASES, "sources/beds.yml": BEDS, "indicators/all.yml": INDICATORS,
    "indices/health.yml": INDEX, "data/areas.csv": AREAS_CSV, "data/beds.csv": BEDS_CSV, "data/cases_2020.csv": cases(2020),
    "data/cases_2021.csv": cases(2021),
}  # fmt: skip


def write(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """Write the pack into a folder, with some files in place of its own."""
    for name, text in {**FILES, **(changes or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
