"""What a release is made from is known well enough to say why a number changed: each declaration is edited once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from exports.model import provenance
from exports.model.provenance import BOUNDARY, CORRECTED, EXTENDED, METHOD, REVISED, Provenance, Reasons
from pipelines import packs
from pipelines.lake import territory
from pipelines.lake.manifest import ManifestPart, ManifestSource
from pipelines.runs.provenance import of_state
from tests.support import five_places


def used(**parts: str) -> ManifestSource:
    return ManifestSource(parts={name: ManifestPart(snapshot=snapshot, key="k") for name, snapshot in parts.items()})


STATE = {"areas": used(**{"": "a"}), "people": used(**{"year=2020": "x", "year=2021": "y"})}
CORRECTION = "corrections: [{where: \"code = 'a1'\", set: {persons: 12}, expect: {persons: 13}, reason: a slip}]\n"


def record(folder: Path, state: dict[str, ManifestSource] = STATE, **files: str) -> Provenance:
    pack = packs.load(five_places.write(folder / str(len(list(folder.iterdir()))), **files))
    return of_state(pack, state, pl.DataFrame(schema=territory.CHANGE))


def reasons(folder: Path, state: dict[str, ManifestSource] = STATE, **files: str) -> Reasons:
    return provenance.between(record(folder), record(folder, state, **files))


def test_a_record_names_what_numbers_depend_on(tmp_path: Path) -> None:
    found = record(tmp_path)
    assert {name: dict(facts.parts) for name, facts in found.sources.items()} == {
        "areas": {"": "a"}, "people": {"year=2020": "x", "year=2021": "y"},
    }  # fmt: skip
    assert {name: list(facts.sources) for name, facts in found.indicators.items()} == {
        "women_share": ["people"], "population": ["people"], "unknown_yet": [],
    }  # fmt: skip
    assert {name: list(facts.indicators) for name, facts in found.indices.items()} == {"wellbeing": ["population", "women_share"]}
    assert list(found.shared) == ["people"]  # of the weight
    assert Provenance.from_json(found.to_json()).to_json() == found.to_json()


def test_the_same_declarations_and_bytes_have_no_reason(tmp_path: Path) -> None:
    assert reasons(tmp_path) == Reasons({}, {}, frozenset(), {}, None)


@pytest.mark.parametrize(
    "files",
    [
        {"indicators__all_yml": five_places.INDICATORS.replace("Share of women", "Women")},
        {"sources__people_yml": five_places.PEOPLE.replace("title: People", "title: Persons").replace("CC0-1.0", "CC-BY-4.0")},
        {"sources__people_yml": five_places.PEOPLE.replace("[2020, 2021]", "[2020, 2021, 2022]")},
        {"pack_yml": five_places.PACK.replace("Five places", "5 places")},
        {"indices__wellbeing_yml": five_places.INDEX.replace("title: Wellbeing", "title: Well-being")},
    ],
    ids=["title of an indicator", "title of a source", "a part that is declared", "title of the pack", "title of an index"],
)
def test_what_numbers_do_not_depend_on_is_no_reason(tmp_path: Path, files: dict[str, Any]) -> None:
    assert reasons(tmp_path, **files) == Reasons({}, {}, frozenset(), {}, None)


def state(**parts: str) -> dict[str, ManifestSource]:
    return {**STATE, "people": used(**{f"year={year[1:]}": sha for year, sha in parts.items()})}


@pytest.mark.parametrize(
    ("now", "files", "reason"),
    [
        (state(_2020="x", _2021="z"), {}, REVISED),
        (state(_2020="x"), {}, REVISED),
        (state(_2020="x", _2021="y", _2022="z"), {}, EXTENDED),
        (STATE, {"sources__people_yml": five_places.PEOPLE + CORRECTION}, CORRECTED),
        (STATE, {"sources__people_yml": five_places.PEOPLE.replace("population: persons", "population: persons + 1")}, METHOD),
        (state(_2020="z", _2021="y"), {"sources__people_yml": five_places.PEOPLE.replace("min: 0", "min: 1")}, METHOD),
    ],
)
def test_a_source_is_the_reason_of_all_that_comes_from_it(tmp_path: Path, now: dict[str, Any], files: dict[str, str], reason: int) -> None:
    found = reasons(tmp_path, now, **files)
    everything = {"population": reason, "women_share": reason}
    assert found == Reasons({"people": reason}, everything, frozenset(), {"wellbeing": reason}, reason, reason)


def test_a_formula_is_the_reason_of_its_indicator_and_of_the_indices_it_stands_in(tmp_path: Path) -> None:
    found = reasons(tmp_path, indicators__all_yml=five_places.INDICATORS.replace("multiplier: 100", "multiplier: 1000"))
    assert found == Reasons({}, {"women_share": METHOD}, frozenset({"women_share"}), {"wellbeing": METHOD}, None)


def test_an_index_and_the_settings_of_the_pack_are_reasons_of_their_own(tmp_path: Path) -> None:
    index = five_places.INDEX.replace("{indicator: population}", "{indicator: population, weight: 2}")
    assert reasons(tmp_path, indices__wellbeing_yml=index) == Reasons({}, {}, frozenset(), {"wellbeing": METHOD}, None)
    assert reasons(tmp_path, pack_yml=five_places.PACK + "min_coverage: 0.5\n").fallback == METHOD


def test_changes_of_areas_are_known_by_what_they_say(tmp_path: Path) -> None:
    rows = [("a6", "a1", date(2020, 1, 1), 0.5, source, "", 2, "s") for source in ("one", "two")] + [
        ("a7", "a2", date(2021, 1, 1), None, "one", "", 3, "s")
    ]
    found = of_state(packs.load(five_places.write(tmp_path / "pack")), STATE, pl.DataFrame(rows, schema=territory.CHANGE, orient="row"))
    assert found.area_changes == [["a6", "a1", "2020-01-01", "0.5"], ["a7", "a2", "2021-01-01", ""]]


COUNTED = """\
id: events_held
from: events
measures: {events: "count(*)"}
"""
FEED = """\
id: feed
title: Events
publisher: Office
licence: CC0-1.0
theme: events
fetch: {url: data/events.ics}
read: {format: ics}
into: events
"""


def test_a_count_depends_on_every_source_that_it_counts(tmp_path: Path) -> None:
    files = {"sources__events_held_yml": COUNTED, "sources__feed_yml": FEED}
    sides = [{**STATE, "feed": used(**{"": sha})} for sha in ("e", "f")]
    old, new = (record(tmp_path, side, **files) for side in sides)
    assert dict(old.sources["events_held"].parts) == {"feed/": "e"}
    assert provenance.between(old, new).source == {"events_held": REVISED, "feed": REVISED}


def test_reasons_weigh_in_their_order() -> None:
    assert METHOD < BOUNDARY < REVISED < CORRECTED < EXTENDED
