"""Read the files of a release that the data of the site are made from: `api/v1`, the list of boundaries, and which areas are similar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from exports.api import territory
from exports.api.territory import NOWHERE, Bundle, LevelRange
from exports.model import layout
from exports.model.errors import ReleaseError

HEADLINE = "headline"


@dataclass(frozen=True)
class Source:
    """The files of one release. What is read more than once is kept; the files of indicators are not."""

    folder: Path

    @cached_property
    def index(self) -> Mapping[str, Any]:
        return self._read("index")

    @cached_property
    def areas(self) -> Mapping[str, Any]:
        return self._read("areas")

    @cached_property
    def described(self) -> Mapping[str, Any]:
        """`indicators.json`: all indicators, sources and notes."""
        return self._read("indicators")

    @cached_property
    def measures(self) -> Mapping[str, Any]:
        return self._read("objective_measures")

    @cached_property
    def abouts(self) -> Mapping[str, Mapping[str, Any]]:
        """What `indicators.json` says about each indicator, by id."""
        return {about["indicator"]: about for about in self.described["indicators"]}

    @cached_property
    def boundaries(self) -> Mapping[str, Mapping[str, Any]]:
        """What `geo/boundaries.json` says about each level, by id; empty if the release has no boundaries."""
        path = self.folder / layout.BOUNDARIES
        if not path.is_file():
            return {}
        return {level["level"]: level for level in orjson.loads(path.read_bytes())["levels"]}

    @cached_property
    def bundles(self) -> Sequence[Bundle]:
        """The bundles of areas in the order of `areas.json`."""
        members: list[list[int]] = [[] for _ in self.areas["bundles"]]
        for area, bundle in enumerate(self.areas["areas"]["bundle"]):
            members[bundle].append(area)
        parent = self.areas["areas"]["parent"]
        levels = [LevelRange(level["level"], level["first"], level["count"]) for level in self.areas["levels"]]
        return [
            Bundle(
                name,
                next(level for level in levels if level.first <= areas[0] < level.stop),
                NOWHERE if parent[areas[0]] is None else parent[areas[0]],
                np.array(areas),
            )
            for name, areas in zip(self.areas["bundles"], members, strict=True)
        ]

    @cached_property
    def peers(self) -> Sequence[Sequence[int]]:
        """The similar areas of each area in the order of `areas.json`, nearest first."""
        return territory.read(self.folder / "parquet", [level["level"] for level in self.areas["levels"]]).peers

    def newest(self, indicator: str) -> Mapping[str, Any]:
        return self._read("indicators", indicator)

    def series(self, indicator: str) -> Mapping[str, Any]:
        return self._read("indicators", indicator, "series")

    @lru_cache(maxsize=1)  # noqa: B019, only one release is read in a process
    def bundle(self, name: str) -> Mapping[str, Any]:
        """Return the file of a bundle. The last one is kept: several files are made from it."""
        return self._read("areas", name)

    def cohesion(self, indicator: str) -> Mapping[str, Any]:
        return self._read("cohesion", indicator)

    @property
    def with_values(self) -> list[str]:
        """The ids of the indicators that have values. One without a description is nowhere on the site."""
        return [name for name in self.index["indicators"] if name in self.abouts]

    @property
    def headlines(self) -> list[str]:
        """The ids of the indicators with values that readers see first."""
        return [name for name in self.with_values if self.abouts[name]["display"] == HEADLINE]

    @property
    def others(self) -> list[str]:
        """The ids of the other indicators with values."""
        return [name for name in self.with_values if self.abouts[name]["display"] != HEADLINE]

    @cached_property
    def headline_values(self) -> Mapping[str, list[Any]]:
        return self._newest_values(self.headlines)

    @cached_property
    def other_values(self) -> Mapping[str, list[Any]]:
        return self._newest_values(self.others)

    def _newest_values(self, indicators: Sequence[str]) -> Mapping[str, list[Any]]:
        """Return the newest value of the total of each area, None where there is none, by indicator. The period is that of the level."""
        values = {}
        for name in indicators:
            newest: list[Any] = [None] * len(self.areas["areas"]["code"])
            for level in self.newest(name)["levels"]:
                newest[level["first"] : level["first"] + level["count"]] = level["breakdowns"][0]["value"]
            values[name] = newest
        return values

    def _read(self, *name: str) -> Mapping[str, Any]:
        path = layout.api_path(*name)
        try:
            value: Mapping[str, Any] = orjson.loads((self.folder / path).read_bytes())
        except FileNotFoundError as error:
            raise ReleaseError(f"{path}: the site needs this file of the format `api`") from error
        return value


def pick(texts: Mapping[str, str], language: str) -> str:
    """Return the text in `language`, else in English, else in the first language that there is; empty if there is none."""
    return next((texts[candidate] for candidate in (language, "en", *texts) if texts.get(candidate)), "")
