"""The templates for municipalities, run as they lie in docs/local-feeds: every indicator that waits for one of them is computed from it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.conftest import current_release
from tests.support.command import PROJECT, zpo2

pytestmark = pytest.mark.slow
FEEDS = PROJECT / "docs" / "local-feeds"
PACK = """\
id: local
title: Local feeds
country: CZ
licence: CC-BY-4.0
levels:
  - {id: lau, title: municipality, parents: [okres]}
  - {id: okres, title: district}
"""
AREAS = """\
id: areas
title: Areas
publisher: Office
licence: CC-BY-4.0
theme: municipal
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {code: {}, level: {}, okres: {}, persons: {type: number}}
into: areas
map:
  area: {ref_area: code, level: level, name: code, codes: {cz_obec: code}, parents: {okres: okres}}
"""
PEOPLE = """\
id: people
title: People
publisher: Office
licence: CC-BY-4.0
theme: census
fetch: {url: data/areas.csv}
read: {format: csv}
columns: {code: {}, level: {}, okres: {}, persons: {type: number}}
into: observations
map:
  where: level = 'lau'
  area: {ref_area: code}
  period: "'2024'"
  measures: {population: persons}
"""
AREAS_CSV = "code,level,okres,persons\n529303,lau,O,16000\n532053,lau,O,70000\n999999,lau,O,14000\nO,okres,,\n"

# worked out from the rows of the templates: Benešov 529303, Kladno 532053, and a municipality that reports nothing
EXPECTED = {
    "participatory_budget_share": {"529303": 100, "532053": 100, "999999": 0, "O": 100 * 2 / 3},
    "association_grants_share": {"529303": 100 * 12 / 480, "532053": 100 * 21 / 1400},
    "cultural_events_per_1000": {"529303": 2 / 16},  # a run is sport, a film was cancelled
    "consultation_participants": {"529303": 58 / 16, "532053": 140 / 70},
    "taxonomy_assessed_share": {"529303": 80, "532053": 0},  # the third is unknown, so the district is not covered
    "regional_producers": {"529303": 1 / 0.16, "532053": 1 / 0.7, "999999": 0, "O": 2},  # one certificate had ended
}


def test_there_is_a_feed_for_every_expectation_and_an_entry_for_every_feed() -> None:
    folders = {path.name for path in FEEDS.iterdir() if path.is_dir()}
    readme = (FEEDS / "README.md").read_text(encoding="utf-8")
    assert folders == set(EXPECTED)
    assert all(f"]({name}/)" in readme for name in folders)


@pytest.mark.parametrize("feed", sorted(EXPECTED))
def test_a_template_keeps_its_own_schema(feed: str) -> None:
    from frictionless import Resource, Schema, system

    (template,) = (FEEDS / feed).glob("*.csv")
    with system.use_context(trusted=True):
        report = Resource(path=str(template), schema=Schema.from_descriptor(str(template.with_suffix(".schema.json")))).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])
    schema = json.loads(template.with_suffix(".schema.json").read_text(encoding="utf-8"))
    with template.open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == [field["name"] for field in schema["fields"]]


def test_every_indicator_that_waits_for_a_feed_is_computed_from_its_template(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    for folder in ("sources", "indicators", "data"):
        (pack / folder).mkdir(parents=True)
    (pack / "pack.yml").write_text(PACK, encoding="utf-8")
    (pack / "sources" / "areas.yml").write_text(AREAS, encoding="utf-8")
    (pack / "sources" / "people.yml").write_text(PEOPLE, encoding="utf-8")
    (pack / "data" / "areas.csv").write_text(AREAS_CSV, encoding="utf-8")
    for feed in EXPECTED:
        for file in sorted((FEEDS / feed).iterdir()):
            if file.name == "indicator.yml":
                shutil.copy(file, pack / "indicators" / f"{feed}.yml")
            elif file.suffix in (".yml", ".csv"):
                shutil.copy(file, pack / ("sources" if file.suffix == ".yml" else "data") / file.name)
    with (pack / "data" / "association_grants.csv").open("a", encoding="utf-8") as table:
        table.write("999999,2024,-5,100\n99,2024,5,100\n")  # a typing error, and a code that is none
    with (pack / "pack.yml").open("a", encoding="utf-8") as description:
        description.write("languages: [en, cs]\n")
    assert zpo2("check", "--pack", pack).returncode == 0
    done = zpo2("run", "--pack", pack, "--home", tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    values = current_release(tmp_path / "home") / "parquet" / "indicator_values.parquet"
    for indicator, expected in EXPECTED.items():
        found = duckdb.execute(
            f"select ref_area, obs_value from '{values}' where indicator = ? and time_period = '2024' and sex = '_T' and obs_value is not null",
            [indicator],
        ).fetchall()
        assert dict(found) == pytest.approx(expected), indicator
    refused = zpo2("quarantine", "--pack", pack, "--home", tmp_path / "home").stdout.splitlines()
    assert [line.split(":")[0] for line in refused[:-1]] == ["association_grants row 4", "association_grants row 5"]
    assert "grants" in refused[0]
    assert "municipality" in refused[1]
