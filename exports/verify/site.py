"""Verify the site against the files for programs: every number and status of its data, and that its pages lead only to files that exist.

A release without the folder is valid. `api.py` compares the files for programs with the tables.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import orjson

from exports.api.encode import rounded
from exports.model import layout
from exports.site.newest import PARTS
from exports.site.places import SHARD, shard_of

DATA = f"{layout.SITE}/data"
KINDS = ("index", "place", "indicator", "compare", "cohesion", "measures", "data")
COLUMNS = ("code", "name", "parent", "population")
PLAIN = (
    "objective", "measure", "field", "decimals", "display", "direction", "target_value", "change_years", "depends_on_size", "group", "has_interval",
)  # fmt: skip
LARGEST_LEVEL = 400
MIDDLE = {"median": 0.5, "p10": 0.1, "p90": 0.9}
NAMES = (("names", "name"), ("codes", "code"))
LINKS = {"a": "href", "link": "href", "img": "src", "script": "src"}


def faults(folder: Path) -> Iterator[str]:
    """Yield what differs from the files below `api/v1`, and links to what does not exist. Raises if a file has another shape."""
    if not (folder / layout.SITE).is_dir():
        return
    api = _Api(folder)
    languages = sorted(path.name for path in (folder / layout.SITE).iterdir() if path.is_dir() and path.name not in ("data", "assets"))
    expected = {layout.SITE_START, *(layout.site_page(language, kind) for language in languages for kind in KINDS)}
    expected |= {f"{DATA}/{name}.json" for name in ("places", "files", *_by_language(languages), *api.names())}
    existing = {path.relative_to(folder).as_posix() for path in (folder / layout.SITE).rglob("*") if path.is_file()}
    yield from (f"{path}: missing" for path in sorted(expected - existing))
    yield from (f"{path}: not a file of the site" for path in sorted(existing - expected) if not path.startswith(f"{layout.SITE}/assets/"))
    for path in sorted(expected & existing):
        if path.endswith(".html"):
            yield from (f"{path}: {fault}" for fault in _page_faults(folder, path))
        else:
            name = path.removeprefix(f"{DATA}/").removesuffix(".json")
            yield from (f"{path}: {fault}" for fault in api.faults(name, orjson.loads((folder / path).read_bytes())))


def _by_language(languages: Iterable[str]) -> Iterator[str]:
    for language in languages:
        yield from (f"meta.{language}", f"texts.{language}")


class _Api:
    """The files for programs, and what each file of the site must have by them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last_bundle: tuple[str, Any] = ("", None)
        self._index, areas, self._described = (self._read(name) for name in ("index", "areas", "indicators"))
        self._measures = self._read("objective_measures")
        self._levels, self._bundle_names, self._areas = areas["levels"], areas["bundles"], areas["areas"]
        self._abouts = {about["indicator"]: about for about in self._described["indicators"]}
        self._members: dict[str, list[int]] = {name: [] for name in self._bundle_names}
        for area, bundle in enumerate(self._areas["bundle"]):
            self._members[self._bundle_names[bundle]].append(area)
        self._groups: dict[str, list[int]] = {}
        for name, members in self._members.items():
            self._groups.setdefault(name.rpartition("-")[0], []).extend(members)
        self._peers = {name: self._peers_of(name) for name in self._bundle_names}
        self._with_values = [name for name in self._index["indicators"] if name in self._abouts]
        headlines = [name for name in self._with_values if self._abouts[name]["display"] == "headline"]
        self._others = [name for name in self._with_values if name not in headlines]
        self._newest = {name: self._newest_values(name) for name in headlines}

    @cached_property
    def _newest_of_others(self) -> Mapping[str, Mapping[int, Any]]:
        return {name: self._newest_values(name) for name in self._others}

    @cached_property
    def _shards(self) -> list[dict[str, list[Any]]]:
        """Number, bundle and whether the bundle has peers, by code of the finest level, divided as the script looks for them."""
        first = self._levels[0]
        shards: list[dict[str, list[Any]]] = [{} for _ in range(-(-first["count"] // SHARD))]
        for area in range(first["first"], first["first"] + first["count"]):
            code = self._areas["code"][area]
            bundle = self._bundle_names[self._areas["bundle"][area]]
            shards[shard_of(code, len(shards))][code] = [area, bundle, bool(self._peers[bundle])]
        return shards

    def names(self) -> Iterator[str]:
        """Yield the names of the files that depend on areas and indicators."""
        yield from (f"{kind}/{name}" for kind in ("within", *(("within_more",) if self._others else ())) for name in self._groups)
        yield from (f"peers/{name}" for name, peers in self._peers.items() if peers)
        for name, members in self._members.items():
            yield from (f"newest/{name}.{part}" for part in sorted({area % PARTS for area in members}))
        yield from (f"cohesion/{name}" for name in self._index["cohesion"])
        yield from (f"find/{number}" for number in range(len(self._shards)))
        yield from (f"indicators/{name}" for name in self._with_values)

    def faults(self, name: str, document: Any) -> Iterator[str]:
        kind, _, stem = name.partition("/")
        if kind == "within":
            yield from self._values(document, sorted(self._groups[stem]), self._newest)
            if document["parent"] != self._areas["parent"][document["areas"][0]]:
                yield "its area above differs"
        elif kind == "within_more":
            yield from self._values(document, sorted(self._groups[stem]), self._newest_of_others)
        elif kind == "peers":
            yield from self._values(document, self._peers[stem], self._newest)
            if any(document[key] != [self._areas[column][area] for area in document["areas"]] for key, column in NAMES):
                yield "its names or codes differ"
        elif kind == "find":
            if document != self._shards[int(stem)]:
                yield "its areas differ"
        elif kind == "newest":
            bundle, _, part = stem.rpartition(".")
            yield from _newest_faults(document, self._bundle(bundle), int(part))
        elif kind == "cohesion":
            yield from _cohesion_faults(document, self._read("cohesion", stem))
        elif kind == "indicators":
            yield from self._indicator(document, self._read("indicators", stem), self._read("indicators", stem, "series"))
        elif kind == "places":
            yield from self._places(document)
        elif kind.startswith("meta."):
            yield from self._meta(document)
        elif kind == "files":
            yield from self._files(document)

    def _read(self, *name: str) -> Any:
        return orjson.loads((self._folder / layout.api_path(*name)).read_bytes())

    def _bundle(self, name: str) -> Any:
        """Return the file of a bundle. The last one is kept, because its parts follow each other."""
        if self._last_bundle[0] != name:
            self._last_bundle = (name, self._read("areas", name))
        return self._last_bundle[1]

    def _peers_of(self, bundle: str) -> list[int]:
        return sorted({peer for peers in self._read("areas", bundle)["peers"] for peer in peers})

    def _newest_values(self, indicator: str) -> Mapping[int, Any]:
        return {
            level["first"] + place: value
            for level in self._read("indicators", indicator)["levels"]
            for place, value in enumerate(level["breakdowns"][0]["value"])
        }

    def _values(self, document: Mapping[str, Any], areas: Sequence[int], newest: Mapping[str, Mapping[int, Any]]) -> Iterator[str]:
        """Compare the newest values of some areas. Indicators without a value in any of them are left out."""
        if document["areas"] != areas:
            yield "its areas differ"
            return
        expected = {name: [column.get(area) for area in areas] for name, column in newest.items()}
        expected = {name: column for name, column in expected.items() if any(value is not None for value in column)}
        if set(document["indicators"]) != set(expected):
            yield "its indicators differ"
        for name, values in document["indicators"].items():
            if values != expected.get(name):
                yield f"the values of {name} differ"

    def _places(self, document: Mapping[str, Any]) -> Iterator[str]:
        first = self._levels[0]
        of_level = slice(first["first"], first["first"] + first["count"])
        yield from (f"{name} differs" for name in COLUMNS if document[name] != self._areas[name][of_level])
        if [document["bundles"][bundle] for bundle in document["bundle"]] != [
            self._bundle_names[b] for b in self._areas["bundle"][of_level]
        ]:
            yield "its bundles differ"
        if document["former"] != [area for area in range(of_level.start, of_level.stop) if self._areas["valid_to"][area] is not None]:
            yield "its former areas differ"

    def _meta(self, document: Mapping[str, Any]) -> Iterator[str]:
        yield from (f"{name} differs" for name in ("version", "released", "pack", "licence") if document[name] != self._index[name])
        coarse = document["areas"]
        first = self._levels[0]["count"]
        if coarse["first"] != first or any(coarse[name] != self._areas[name][first:] for name in COLUMNS):
            yield "its areas differ"
        yield from (
            f"{path}: no such file"
            for level in document["levels"]
            for path in (level["map"], *((level["map_parts"] or {}).get("files", {}).values()))
            if path is not None and not (self._folder / path).is_file()
        )
        if set(document["home"]["indicators"]) - set(self._with_values) or set(document["cohesion"]["indicators"]) - set(
            self._index["cohesion"]
        ):
            yield "its first views show what is not there"
        if [entry["indicator"] for entry in document["indicators"]] != list(self._abouts):
            yield "its indicators differ"
            return
        for entry in document["indicators"]:
            about = self._abouts[entry["indicator"]]
            newest = {level["level"]: level["newest"] for level in about["levels"] if level["newest"]}
            if entry["newest"] != newest or any(entry[name] != about[name] for name in PLAIN):
                yield f"{entry['indicator']} differs"
        counts = ("objective", "measure", "indicators", "indicators_with_data", "areas", "newest_period", "indicator_ids")
        if [[measure[name] for name in counts] for measure in document["measures"]] != [
            [measure[name] for name in counts] for measure in self._measures["measures"]
        ]:
            yield "its measures differ"

    def _files(self, document: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for entry in document:
            path = self._folder / entry["path"]
            if entry["path"].endswith("/"):
                members = [member for member in path.iterdir() if member.is_file() and not member.name.endswith(layout.METADATA)]
                if (entry["files"], entry["bytes"]) != (len(members), sum(member.stat().st_size for member in members)):
                    yield f"states another number or size of the files in {entry['path']}"
            elif not path.is_file() or path.stat().st_size != entry["bytes"]:
                yield f"{entry['path']} does not exist or has another size"

    def _indicator(self, document: Mapping[str, Any], newest: Mapping[str, Any], series: Mapping[str, Any]) -> Iterator[str]:
        if document["about"] != newest["about"]:
            yield "what it says about the indicator differs"
        by_level = {level["level"]: level for level in newest["levels"]}
        over_time = {level["level"]: level for level in series["levels"]}
        if [level["level"] for level in document["levels"]] != [
            name for name, level in by_level.items() if level["count"] <= LARGEST_LEVEL
        ]:
            yield "its levels differ"
            return
        for shown in document["levels"]:
            level = by_level[shown["level"]]
            if any(shown[name] != level[name] for name in ("first", "count", "period")) or not _are_among(
                shown["breakdowns"], level["breakdowns"]
            ):
                yield f"the newest values of {shown['level']} differ"
            if shown.get("comparisons", {}).get("country") != level.get("comparisons", {}).get("country"):
                yield f"the comparisons of {shown['level']} differ"
            whole = over_time[shown["level"]]
            if shown["series"]["periods"] != whole["periods"] or not _are_among(shown["series"]["breakdowns"], whole["breakdowns"]):
                yield f"the series of {shown['level']} differ"
        if (fine := document["fine"]) is not None:
            yield from self._fine(fine, by_level[fine["level"]])
        if (spread := document["distribution"]) is not None:
            yield from self._distribution(spread, by_level[spread["level"]], newest["about"]["decimals"])

    def _fine(self, fine: Mapping[str, Any], level: Mapping[str, Any]) -> Iterator[str]:
        total = level["breakdowns"][0]
        if fine["period"] != level["period"] or fine["areas"] != sum(value is not None for value in total["value"]):
            yield f"the number of areas of {fine['level']} with a value differs"
        if len(level["spread"]) == 1 and fine["quantiles"] != level["spread"][0]["quantiles"]:
            yield f"the quantiles of {fine['level']} differ"
        if any(total["status"].count(code) != count for code, count in fine["missing"].items()):
            yield f"the reasons for missing values of {fine['level']} differ"

    def _distribution(self, spread: Mapping[str, Any], level: Mapping[str, Any], decimals: int | None) -> Iterator[str]:
        total = level["breakdowns"][0]
        for size in spread["classes"]:
            values = [
                value
                for value, code, people in zip(
                    total["value"],
                    total["status"],
                    self._areas["population"][level["first"] : level["first"] + level["count"]],
                    strict=True,
                )
                if code != "." and people is not None and size["from"] <= people and (size["to"] is None or people < size["to"])
            ]
            present = [value for value in values if value is not None]
            middle = rounded(np.quantile(present, list(MIDDLE.values())), decimals).tolist() if present else [None] * len(MIDDLE)
            if (size["areas"], size["missing"], sum(size["counts"])) != (len(values), len(values) - len(present), len(present)):
                yield f"the counts of areas from {size['from']} inhabitants differ"
            if [size[name] for name in MIDDLE] != middle:
                yield f"the middle values of areas from {size['from']} inhabitants differ"


def _newest_faults(document: Mapping[str, Any], bundle: Mapping[str, Any], part: int) -> Iterator[str]:
    """Compare the newest values of some areas of a bundle with those of their series."""
    places = [place for place, area in enumerate(bundle["areas"]) if area % PARTS == part]
    with_values = {entry["indicator"]: entry for entry in bundle["indicators"] if entry["newest"] is not None}
    shown = [entry["indicator"] for entry in document["indicators"]]
    if document["areas"] != [bundle["areas"][place] for place in places] or shown != list(with_values):
        yield "its areas or indicators differ"
        return
    for shown_values in document["indicators"]:
        entry = with_values[shown_values["indicator"]]
        total, at = entry["breakdowns"][0], entry["periods"].index(entry["newest"])
        expected = {name: [total[name][place][at] for place in places] for name in ("value", "lower", "upper") if name in total}
        expected |= {name: [entry[name][place] for place in places] for name in ("numerator", "denominator")}
        if shown_values["newest"] != entry["newest"] or shown_values["status"] != "".join(total["status"][place][at] for place in places):
            yield f"the statuses of {shown_values['indicator']} differ"
        if any(
            shown_values[name] != expected.get(name)
            for name in ("value", "lower", "upper", "numerator", "denominator")
            if name in shown_values
        ):
            yield f"the values of {shown_values['indicator']} differ"


def _cohesion_faults(document: Mapping[str, Any], file: Mapping[str, Any]) -> Iterator[str]:
    """Compare the inner differences of territories: each number is the one of the same territory, statistic and period, or left out."""
    if (document["indicator"], document["periods"]) != (file["indicator"], file["periods"]):
        yield "its indicator or periods differ"
    groups = {_group(dispersion): dispersion for dispersion in file["dispersion"]}
    for dispersion in document["dispersion"]:
        whole = groups.get(_group(dispersion), {"statistics": {}})
        if any(dispersion[name] != whole.get(name) for name in ("n", "coverage", "status")):
            yield f"what it says about the areas within {dispersion['within']} differs"
        for name, values in dispersion["statistics"].items():
            pairs = zip(values, whole["statistics"].get(name, [None] * len(values)), strict=True)
            if any(value is not None and value != expected for value, expected in pairs):
                yield f"{name} within {dispersion['within']} differs"
    spans = [{**convergence, "statistics": {}, "status": {}} for convergence in file["convergence"]]
    for convergence in document["convergence"]:
        empty = {**convergence, "statistics": {}, "status": {}}
        whole = file["convergence"][spans.index(empty)] if empty in spans else None
        if whole is None or not convergence["statistics"].items() <= whole["statistics"].items():
            yield "its convergence differs"


def _group(dispersion: Mapping[str, Any]) -> tuple[Any, ...]:
    return dispersion["within"], dispersion["of_level"], dispersion["by_level"], dispersion["sex"]


def _are_among(shown: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each breakdown has the same cells as the one with its sex and age, without more, and the total is not left out."""
    by_key = {(breakdown["sex"], breakdown["age"]): breakdown for breakdown in expected}
    if ("_T", "_T") in by_key and ("_T", "_T") not in {(breakdown["sex"], breakdown["age"]) for breakdown in shown}:
        return False
    return all(by_key[breakdown["sex"], breakdown["age"]].get(name) == cells for breakdown in shown for name, cells in breakdown.items())


class _Links(HTMLParser):
    """Collects the relative links of a page, and what a strict policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.faults: list[str] = []
        self.has_policy = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.has_policy |= tag == "meta" and values.get("http-equiv") == "Content-Security-Policy"
        if (
            tag == "style"
            or "style" in values
            or (tag == "script" and "src" not in values)
            or any(name.startswith("on") for name in values)
        ):
            self.faults.append(f"has a script or a style of its own in <{tag}>")
        if link := values.get(LINKS.get(tag, "")):
            self.links.append(link)


def _page_faults(folder: Path, path: str) -> Iterator[str]:
    page = _Links()
    page.feed((folder / path).read_text(encoding="utf-8"))
    yield from page.faults
    if not page.has_policy:
        yield "has no Content-Security-Policy"
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or not parts.path:
            continue
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))
        if target.startswith("..") or not (folder / target).is_file():
            yield f"leads to {link}, which does not exist"
