"""Addresses of views of a release's site: one of each kind, and seeded samples of places and indicators."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Views:
    """The views of the site in the folder `release`."""

    release: Path

    def read(self, path: str) -> Any:
        return json.loads((self.release / path).read_bytes())

    @cached_property
    def index(self) -> Any:
        return self.read("api/v1/index.json")

    @cached_property
    def areas(self) -> Any:
        return self.read("api/v1/areas.json")

    @cached_property
    def indicators(self) -> list[Any]:
        found: list[Any] = self.read("api/v1/indicators.json")["indicators"]
        return found

    @property
    def languages(self) -> list[str]:
        return sorted(folder.name for folder in (self.release / "site").iterdir() if (folder / "place.html").is_file())

    def codes(self, level: int) -> list[str]:
        """Return the codes of the areas of a level; 0 is the finest one and -1 the coarsest one."""
        entry = self.areas["levels"][level]
        codes: list[str] = self.areas["areas"]["code"][entry["first"] : entry["first"] + entry["count"]]
        return codes

    def places(self, count: int, seed: int) -> list[str]:
        """Return areas drawn from all levels: half of them from the finest one."""
        chance = random.Random(seed)
        others = [code for level in range(1, len(self.areas["levels"])) for code in self.codes(level)]
        coarse = chance.sample(others, min(count // 2, len(others)))
        return chance.sample(self.codes(0), count - len(coarse)) + coarse

    def with_values(self) -> list[Any]:
        """Return the indicators that have values in some level."""
        return [indicator for indicator in self.indicators if any(level["newest"] for level in indicator["levels"])]

    def largest(self) -> str:
        """Return the area of the finest level with the most people."""
        finest, people = self.areas["levels"][0], self.areas["areas"]["population"]
        numbers = range(finest["first"], finest["first"] + finest["count"])
        code: str = self.areas["areas"]["code"][max(numbers, key=lambda number: people[number] or 0)]
        return code

    def kinds(self) -> dict[str, str]:
        """Return the path and query, below the folder of a language, of a view of each kind, by its name."""
        some = self.with_values()
        with_interval = next((i for i in some if i["has_interval"] and i["display"] == "headline"), some[0])["indicator"]
        with_break = next((i for i in some if i["breaks"] and i["indicator"] != with_interval), some[-1])["indicator"]
        without = next((i["indicator"] for i in self.indicators if not i["levels"]), None)
        codes = self.codes(0) * 2  # a pack may have few
        views = {
            "home": "index.html",
            "places": "place.html",
            "place": view("place", area=self.largest()),
            "region": view("place", area=self.codes(1)[0]),
            "country": view("place", area=self.codes(-1)[0]),
            "indicators": "indicator.html",
            "indicator": view("indicator", indicator=with_interval),
            "indicator-break": view("indicator", indicator=with_break),
            "compare-empty": "compare.html",
            "compare": view("compare", areas=",".join(codes[1:5])),
            "compare-group": view("compare", areas=codes[5], group=",".join(codes[6:9]), name="Our micro-region"),
            "cohesion": "cohesion.html",
            "measures": "measures.html",
            "data": "data.html",
        }
        return views | ({"indicator-without-data": view("indicator", indicator=without)} if without else {})


def view(page: str, **query: str) -> str:
    return f"{page}.html?{urlencode(query, safe=',')}"
