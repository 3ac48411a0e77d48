"""What the pages of the site show before a reader chooses, from the files for programs of a small release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exports.model.site_choices import SiteChoices
from exports.site import first_views
from exports.site.facts import SiteFacts
from exports.site.source import Source

LEVELS = [
    {"level": "lau", "first": 0, "count": 6000},
    {"level": "okres", "first": 6000, "count": 77},
    {"level": "nuts3", "first": 6077, "count": 14},
]


def about(name: str, *, newest: dict[str, str], first: str = "2020", **more: Any) -> dict[str, Any]:
    levels = [{"level": level, "newest": period, "periods": sorted({first, period})} for level, period in newest.items()]
    usual = {"display": "headline", "has_interval": True, "depends_on_size": False, "objective": "A", "measure": None}
    return {"indicator": name, "levels": levels, **usual, **more}


def source(root: Path, *abouts: dict[str, Any], maps: tuple[str, ...] = ("okres", "nuts3")) -> Source:
    files = {
        "api/v1/areas.json": {"levels": LEVELS},
        "api/v1/indicators.json": {"indicators": abouts},
        "api/v1/index.json": {"cohesion": [own["indicator"] for own in abouts if not own["indicator"].startswith("count")]},
        "geo/boundaries.json": {"levels": [{"level": level, "topojson": f"geo/{level}.topojson"} for level in maps]},
    }
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(json.dumps(content))
    return Source(root)


@pytest.mark.parametrize(("maps", "expected"), [(("okres", "nuts3"), "okres"), (("lau", "nuts3"), "nuts3"), (("lau",), None), ((), None)])
def test_the_map_has_many_areas_but_not_too_many(tmp_path: Path, maps: tuple[str, ...], expected: str | None) -> None:
    assert first_views.map_level(source(tmp_path, maps=maps)) == expected


def test_a_place_of_a_level_with_many_areas_is_shown_inside_the_level_above(tmp_path: Path) -> None:
    own = source(tmp_path)
    assert first_views.place_map(own, "okres") == "geo/okres.topojson"
    assert first_views.place_map(own, None) is None


def test_the_first_page_speaks_of_two_headlines_of_different_objectives(tmp_path: Path) -> None:
    everywhere = {"lau": "2021", "okres": "2021"}
    own = source(
        tmp_path,
        about("no_interval", newest=everywhere, has_interval=False),
        about("depends_on_size", newest=everywhere, depends_on_size=True),
        about("not_here", newest={"nuts3": "2024"}),
        about("coarse", newest={"okres": "2024"}, measure="1"),
        about("older", newest=everywhere, measure="2"),
        about("newer", newest={"lau": "2022", "okres": "2022"}, measure="3"),
        about("other_objective", newest=everywhere, objective="B"),
        about("third_objective", newest={"okres": "2024"}, objective="C"),
    )
    assert first_views.flagships(own, SiteFacts()) == ["newer", "other_objective"]
    chosen = SiteFacts(choices=SiteChoices(map_indicator="third_objective"))
    assert first_views.flagships(own, chosen) == ["third_objective", "newer"]
    assert first_views.flagships(own, SiteFacts(choices=SiteChoices(map_indicator="no_interval"))) == ["newer", "other_objective"]


def test_differences_begin_with_a_headline_over_time_and_its_newest_data(tmp_path: Path) -> None:
    abouts = [
        about("count", newest={"lau": "2025"}),
        about("more", newest={"lau": "2025"}, display="more"),
        about("one_period", newest={"lau": "2024"}, first="2024"),
        about("older", newest={"lau": "2021"}),
        about("newer", newest={"lau": "2022"}),
        about("empty", newest={}),
    ]
    assert first_views.usual_of_cohesion(source(tmp_path / "a", *abouts)) == "newer"
    assert first_views.usual_of_cohesion(source(tmp_path / "b", *abouts[:3])) == "more"
    assert first_views.usual_of_cohesion(source(tmp_path / "c", abouts[2])) == "one_period"
    assert first_views.usual_of_cohesion(source(tmp_path / "d", abouts[0], abouts[-1])) is None
    assert first_views.with_cohesion(source(tmp_path / "e", *abouts)) == ["more", "one_period", "older", "newer"]
