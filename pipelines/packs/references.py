"""What one declaration of a pack says about another, and what its values mean: names that must exist, orders, formats. Reads no file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.core import schedule
from pipelines.core.yaml import Path_
from pipelines.packs import expressions
from pipelines.packs.pack import Pack
from pipelines.packs.schema import (
    AreaReference,
    AreasMap,
    Block,
    Component,
    CountedSource,
    EventsMap,
    FetchedSource,
    Index,
    Indicator,
    Normalise,
    ObservationsMap,
    RegisterMap,
)
from pipelines.readers.options import EVENT_COLUMNS, EVENT_FORMATS

Fault = Callable[[str, Path_, str], None]
BUILT_IN_MEASURES = {"areas", "area_km2"}
EVENT_FIELDS = {"id", "title", "start", "end", "ref_area", "category", "organiser_kind", "audience", "is_free", "is_accessible",
                "is_online", "status", "url", "lat", "lon"}  # fmt: skip
REGISTER_FIELDS = {"register", "id", "ref_area", "valid_from", "valid_to", "status", "amount", "currency"}
AREA_FIELDS = {"ref_area", "level", "name", "country", "lat", "lon", "area_km2", "valid_from", "valid_to"}
PUSHED_FORMATS = ("json", "ofn-events", "ofn-notices", "schema-org-events")
_VARIABLE = re.compile(r"(?<!\$)\{([A-Za-z][A-Za-z0-9_]*)\}")


def check(pack: Pack, fault: Fault) -> None:
    """Tell `fault` (place, path inside it, message) of everything that is wrong with a pack whose blocks are right one by one."""
    _References(pack, fault).check()


class _References:
    """Everything one declaration says about another."""

    def __init__(self, pack: Pack, fault: Fault) -> None:
        self.fault = fault
        self.pack = pack
        self.levels = [level.id for level in pack.file.levels]
        self.measures = self._measures()

    def _measures(self) -> set[str]:
        found: set[str] = set()
        for source in self.pack.sources.values():
            if isinstance(source.map, ObservationsMap):
                found |= set(source.map.measures)
        for counted in self.pack.counted.values():
            found |= set(counted.measures)
        return found

    def check(self) -> None:
        self._pack()
        for source in self.pack.sources.values():
            self._source(source)
        for counted in self.pack.counted.values():
            self._counted(counted)
        for indicator in self.pack.indicators.values():
            self._indicator(indicator)
        for index in self.pack.indices.values():
            self._index(index)

    def _measure(self, place: str, path: Path_, name: str | None, built_in: bool = False) -> None:
        if name is not None and name not in self.measures and not (built_in and name in BUILT_IN_MEASURES):
            self.fault(place, path, f"{name}: no source declares this measure")

    def _pack(self) -> None:
        head = self.pack.file
        order = {level: i for i, level in enumerate(self.levels)}
        if len(order) < len(self.levels):
            self.fault("pack", ("levels",), "a level is declared twice")
        for i, level in enumerate(head.levels):
            for j, parent in enumerate(level.parents):
                if parent not in order:
                    self.fault("pack", ("levels", i, "parents", j), f"{parent}: no such level")
                elif order[parent] <= i:
                    self.fault("pack", ("levels", i, "parents", j), f"{parent}: levels stand finest first, so a parent follows")
        try:
            ZoneInfo(head.timezone)
        except (KeyError, ValueError, OSError):  # names that no data base has, and names that are paths
            self.fault("pack", ("timezone",), f"{head.timezone}: no such time zone")
        if head.base_uri is not None and not re.fullmatch(r"https?://[^\s/]+/\S*", head.base_uri):
            self.fault("pack", ("base_uri",), f"{head.base_uri}: an address such as https://data.example.org/zpo2/ is due")
        if head.catalogues and not (head.base_uri or "").startswith("https://"):
            self.fault("pack", ("catalogues",), f"{', '.join(head.catalogues)}: national catalogues need a base_uri with https")
        self._measure("pack", ("weight",), head.weight)
        for j, name in enumerate(head.peers.by if head.peers else []):
            if name not in self.measures and name not in self.pack.indicators:
                self.fault("pack", ("peers", "by", j), f"{name}: no such measure or indicator")

    def _source(self, source: FetchedSource) -> None:
        place = f"source:{source.id}"
        variables = set(source.fetch.parts or {})
        wrong_url = _wrong_address(source.fetch.url)
        if wrong_url:
            self.fault(place, ("fetch", "url"), f"{source.fetch.url}: {wrong_url}")
        for name, spec in source.columns.items():
            if spec.pattern is not None and not _is_pattern(spec.pattern):
                text = f"{spec.pattern}: no regular expression (look-around and back-references are not understood)"
                self.fault(place, ("columns", name, "pattern"), text)
            low, high = _number(spec.min), _number(spec.max)
            if spec.type in ("integer", "number") and low is not None and high is not None and low > high:
                self.fault(place, ("columns", name, "max"), f"{spec.max}: less than min, {spec.min}")
        for name in _VARIABLE.findall(source.fetch.url):
            if name not in variables:
                self.fault(place, ("fetch", "url"), f"{{{name}}}: no such variable of parts")
        if source.fetch.brings_records:
            if source.read.format not in PUSHED_FORMATS:
                self.fault(place, ("read", "format"), f"pushed records are {', '.join(PUSHED_FORMATS)}")
            if source.read.records or source.read.member:
                self.fault(place, ("read",), "pushed records come one by one: neither records nor member")
        if source.fetch.cadence is not None and not schedule.is_valid(source.fetch.cadence):
            self.fault(place, ("fetch", "cadence"), f"{source.fetch.cadence}: no cron expression")
        for name in variables & set(source.columns):
            if source.columns[name].from_ not in (None, name):
                self.fault(place, ("columns", name), "is a variable of parts, and cannot be read from the file as well")
        columns = set(source.columns) | variables
        if source.read.format in EVENT_FORMATS:
            columns |= set(EVENT_COLUMNS)
        for i, name in enumerate(source.key):
            if name not in columns:
                self.fault(place, ("key", i), f"{name}: no such column")
        personal = {n.lower() for n, c in source.columns.items() if c.personal}
        for path, expression, stored in _expressions(source):
            wrong = expressions.fault(expression, None if path[0] in ("read", "corrections") else columns)
            if wrong:
                self.fault(place, path, wrong)
            elif stored and personal & {c.lower() for c in expressions.parse(expression).columns}:
                self.fault(place, path, "names a personal column, which is never stored")
        self._universe(place, source.universe)
        for i, item in enumerate(source.breaks):
            self._measure(place, ("breaks", i, "measure"), item.measure)
        if isinstance(source.map, ObservationsMap):
            self._schemes(place, source.map.area, ("map", "area"))
            for name, measure in source.map.measures.items():
                self._measure(place, ("map", "measures", name, "weighted_by"), measure.weighted_by)
                if measure.weighted_by and measure.additive:
                    self.fault(place, ("map", "measures", name), "weighted_by is for measures with additive: false")
                if name in BUILT_IN_MEASURES:
                    self.fault(place, ("map", "measures", name), f"{name}: the name of a built-in measure")
        elif isinstance(source.map, AreasMap):
            for i, area in enumerate(source.map.area):
                for level in area.parents:
                    if level not in self.levels:
                        self.fault(place, ("map", "area", i, "parents", level), f"{level}: no such level")
        elif isinstance(source.map, EventsMap | RegisterMap) and source.map.area:
            self._schemes(place, source.map.area, ("map", "area"))

    def _schemes(self, place: str, area: AreaReference, path: Path_) -> None:
        known = {s for x in self.pack.sources.values() if isinstance(x.map, AreasMap) for a in x.map.area for s in a.codes}
        if area.scheme is not None and area.scheme not in known:
            self.fault(place, (*path, "scheme"), f"{area.scheme}: no source of areas declares this scheme")

    def _universe(self, place: str, universe: str | None) -> None:
        if universe is not None and universe.strip() != "all":
            wrong = expressions.fault(universe, self._area_columns())
            if wrong:
                self.fault(place, ("universe",), wrong)

    def _area_columns(self) -> set[str]:
        found = set(AREA_FIELDS)
        for source in self.pack.sources.values():
            if isinstance(source.map, AreasMap):
                for area in source.map.area:
                    found |= set(area.attributes)
        return found

    def _counted(self, counted: CountedSource) -> None:
        place = f"source:{counted.id}"
        fields = set(EVENT_FIELDS if counted.from_ == "events" else REGISTER_FIELDS)
        for source in self.pack.sources.values():
            if isinstance(source.map, RegisterMap) and counted.from_ == "register":
                fields |= set(source.map.attributes)
        if not any(s.into == counted.from_ for s in self.pack.sources.values()):
            self.fault(place, ("from",), f"{counted.from_}: no source declares any")
        for key, expression in (("where", counted.where), ("period", counted.period)):
            wrong = expressions.fault(expression, fields) if expression is not None else None
            if wrong:
                self.fault(place, (key,), wrong)
        for name, expression in counted.measures.items():
            wrong = expressions.fault(expression, fields, aggregate=True)
            if wrong:
                self.fault(place, ("measures", name), wrong)
        self._universe(place, counted.universe)
        for i, item in enumerate(counted.breaks):
            self._measure(place, ("breaks", i, "measure"), item.measure)

    def _weighted(self, name: str) -> bool:
        maps = (s.map for s in self.pack.sources.values() if isinstance(s.map, ObservationsMap))
        return any(name in m.measures and m.measures[name].weighted_by for m in maps)

    def _indicator(self, indicator: Indicator) -> None:
        place = f"indicators:{indicator.id}"
        for i, level in enumerate(indicator.levels):
            if level not in self.levels:
                self.fault(place, ("levels", i), f"{level}: no such level")
        for language in indicator.title:
            if language and language not in self.pack.file.languages:
                self.fault(place, ("title", language), f"{language}: not one of the pack's languages")
        for i, span in enumerate(indicator.convergence or []):
            if _place_in_time(span[0]) >= _place_in_time(span[1]):
                self.fault(place, ("convergence", i), "the first period comes before the last")
        if indicator.formula is None:
            return
        formula = indicator.formula
        if formula.window and (formula.window.min or 0) > formula.window.years:
            self.fault(
                place, ("formula", "window", "min"), f"{formula.window.min}: more than the {formula.window.years} years of the window"
            )
        for side, terms in (("numerator", formula.numerator), ("denominator", formula.denominator)):
            for i, term in enumerate(terms):
                self._measure(place, ("formula", side, i, "measure"), term.measure, built_in=True)
                self._measure(place, ("formula", side, i, "times"), term.times, built_in=True)
                single = len(formula.numerator) == 1 and not formula.denominator and not term.times
                if self._weighted(term.measure) and not single:
                    text = f"{term.measure}: a measure with weighted_by is allowed only as a formula's single term"
                    self.fault(place, ("formula", side, i, "measure"), text)

    def _leaf(self, place: str, path: Path_, component: Component, default: Normalise) -> None:
        bounds, own = component.bounds, component.normalise
        if bounds is not None and bounds[0] == bounds[1]:
            self.fault(place, (*path, "bounds"), "the worst and the best value are the same")
        if own is not None and own.method == "distance_to_reference" and own.reference is None:
            self.fault(place, (*path, "normalise"), "distance_to_reference needs reference")
        method = (own or default).method
        indicator = self.pack.indicators.get(component.indicator or "")
        if component.direction == "target" and indicator and indicator.target_value is None and bounds is None:
            self.fault(place, (*path, "direction"), f"{indicator.id}: direction target needs the indicator's target_value")
        if own is not None:
            self._scale(place, (*path, "normalise"), own)
        if method == "distance_to_target" and indicator and (own or default).target is None and indicator.target_value is None:
            self.fault(place, (*path, "indicator"), f"{indicator.id}: distance_to_target needs a target")

    def _scale(self, place: str, path: Path_, how: Normalise) -> None:
        if how.scale is None:
            return
        if how.method == "zscore" and how.scale[1] <= 0:
            self.fault(place, (*path, "scale"), f"{how.scale[1]:g}: a standard deviation is above 0")
        if how.method in ("minmax", "percentile") and how.scale[0] == how.scale[1]:
            self.fault(place, (*path, "scale"), "both ends of the scale are the same")

    def _index(self, index: Index) -> None:
        place = f"indices:{index.id}"
        if index.level not in self.levels:
            self.fault(place, ("level",), f"{index.level}: no such level")
        if index.carry and index.period != "each":
            self.fault(place, ("carry",), "goes with period: each; with latest, max_age says how old a value may be")
        if index.impute and index.impute.by is None and index.impute.method.startswith("group"):
            self.fault(place, ("impute",), f"{index.impute.method} needs by")
        if index.impute and index.impute.by is not None and index.impute.by not in self._area_columns():
            self.fault(place, ("impute", "by"), f"{index.impute.by}: no source of areas declares this attribute")
        self._scale(place, ("normalise",), index.normalise)
        if index.normalise.method == "distance_to_reference" and index.normalise.reference is None:
            self.fault(place, ("normalise",), "distance_to_reference needs reference")
        seen = {index.id}

        def walk(components: list[Component], path: Path_) -> None:
            here_already: set[str] = set()
            for i, component in enumerate(components):
                here = (*path, i)
                if component.indicator in here_already:
                    self.fault(place, (*here, "indicator"), f"{component.indicator}: stands twice in this component")
                here_already |= {component.indicator} if component.indicator else set()
                self._leaf(place, here, component, index.normalise)
                if component.id is not None:
                    if component.id in seen:
                        self.fault(place, (*here, "id"), f"{component.id}: stands twice")
                    seen.add(component.id)
                    walk(component.components, (*here, "components"))
                elif component.indicator not in self.pack.indicators:
                    self.fault(place, (*here, "indicator"), f"{component.indicator}: no such indicator")
                elif (
                    component.bounds is None
                    and component.direction is None
                    and self.pack.indicators[component.indicator].direction == "none"
                ):
                    text = f"{component.indicator}: direction none cannot be scored; give direction or bounds"
                    self.fault(place, (*here, "indicator"), text)

        walk(index.components, ("components",))


def _place_in_time(period: str) -> str:
    """Return a text by which periods, of whatever length, sort by their first day."""
    year, _, rest = period.partition("-")
    return f"{year}-{int(rest[1]) * 3 - 2:02}-01" if rest.startswith("Q") else f"{period}-01-01"[:10]


def _number(value: float | str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _wrong_address(url: str) -> str | None:
    """Return why nothing could ever be fetched from `url`: neither http(s), nor a path inside the pack or an operator's folder."""
    if re.match(r"https?://", url, re.IGNORECASE) or not url:
        return None
    path = re.sub(r"^\$\{ZPO2_DIR_[A-Z0-9_]+\}/", "", url)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path) or "${" in path:
        return "only http, https, paths inside the pack and ${ZPO2_DIR_NAME}/path are fetched"
    if path.startswith("/") or ".." in path.split("/"):
        return "a path stays inside the pack"
    return None


def _is_pattern(pattern: str) -> bool:
    import polars as pl  # whose expressions the contract uses; a pack without patterns does without

    try:
        pl.Series([""]).str.contains(f"^(?:{pattern})$")
    except pl.exceptions.ComputeError:
        return False
    return True


def _expressions(source: FetchedSource) -> Iterator[tuple[Path_, str, bool]]:
    """Yield (place, expression, whether its result is stored as text) of every expression of a source."""
    if source.read.ignore is not None:
        yield ("read", "ignore"), source.read.ignore, False
    for i, correction in enumerate(source.corrections):
        yield ("corrections", i, "where"), correction.where, False
    yield from _map_expressions(source.map, ("map",))


_NUMERIC = {"value", "where", "lat", "lon", "area_km2", "amount", "sex"}


def _map_expressions(block: Any, path: Path_) -> Iterator[tuple[Path_, str, bool]]:
    for name, info in type(block).model_fields.items():
        value = getattr(block, name)
        here = (*path, info.alias or name)
        if value is None or name in ("aggregate", "additive", "weighted_by", "scale", "scheme"):
            continue
        yield from _nested(value, here, stored=name not in _NUMERIC)


def _nested(value: Any, path: Path_, stored: bool) -> Iterator[tuple[Path_, str, bool]]:
    if isinstance(value, Block):
        yield from _map_expressions(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _nested(item, (*path, key), stored)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _nested(item, (*path, i), stored)
    else:
        yield path, value, stored
