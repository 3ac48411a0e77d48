"""Load a pack: its YAML files as checked models, with every reference resolved. Errors name file, line and key; nothing is fetched here."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines import cadence, expressions, pack_yaml
from pipelines.pack_models import (
    MAPS,
    AreaReference,
    AreasMap,
    Block,
    CountedSource,
    EventsMap,
    FetchedSource,
    Index,
    Indicator,
    ObservationsMap,
    PackFile,
    RegisterMap,
)
from pipelines.pack_yaml import Document, PackError, Path_
from pipelines.readers.options import EVENT_COLUMNS, EVENT_FORMATS

BUILT_IN_MEASURES = {"areas", "area_km2"}
EVENT_FIELDS = {"id", "title", "start", "end", "ref_area", "category", "organiser_kind", "audience", "is_free", "is_accessible",
                "is_online", "status", "url", "lat", "lon"}  # fmt: skip
REGISTER_FIELDS = {"register", "id", "ref_area", "valid_from", "valid_to", "status", "amount", "currency"}
AREA_FIELDS = {"ref_area", "level", "name", "country", "lat", "lon", "area_km2", "valid_from", "valid_to"}
PUSHED_FORMATS = ("json", "ofn-events", "ofn-notices", "schema-org-events")
_VARIABLE = re.compile(r"(?<!\$)\{([A-Za-z][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Part:
    """One combination of the variables of `parts`; a source without parts has one, named ''."""

    name: str
    variables: dict[str, str]


@dataclass
class Pack:
    """One territory's declarations."""

    root: Path
    file: PackFile
    sources: dict[str, FetchedSource]
    counted: dict[str, CountedSource]
    indicators: dict[str, Indicator]
    indices: dict[str, Index]
    locked: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.file.id

    def text(self, texts: dict[str, str] | None, language: str | None = None) -> str:
        """Return `texts` in `language` (default: the pack's first), or in the nearest language there is."""
        if not texts:
            return ""
        first = self.file.languages[0]
        for wanted in (language or first, "" if (language or first) == first else first, first, ""):
            if wanted in texts:
                return texts[wanted]
        return next(iter(texts.values()))

    def parts(self, source: FetchedSource) -> list[Part]:
        """Return the parts of `source` in the order of the declaration; none where its records are pushed (see sources.parts_of)."""
        if source.fetch.brings_records:
            return []
        if not source.fetch.parts:
            return [Part("", {})]
        names = list(source.fetch.parts)
        combinations = itertools.product(*source.fetch.parts.values())
        return [
            Part(",".join(f"{n}={v}" for n, v in zip(names, values, strict=True)), dict(zip(names, values, strict=True)))
            for values in combinations
        ]

    def part_range(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return the variable and the values that `VAR=A..B` or `VAR=A` names, in the order they are declared. Raises ValueError."""
        variable, _, span = text.partition("=")
        first, _, last = span.partition("..")
        values = list(dict.fromkeys(v for s in self.sources.values() for v in (s.fetch.parts or {}).get(variable, [])))
        if first not in values or (last or first) not in values:
            raise ValueError(f"{text}: no source has such parts; {variable} has the values {', '.join(values) or '(none)'}")
        return variable, tuple(values[values.index(first) : values.index(last or first) + 1])

    @cached_property
    def digest(self) -> str:
        """Hash of everything declared, independent of how the YAML is laid out."""
        blocks: list[Block] = [self.file, *self.sources.values(), *self.counted.values(), *self.indicators.values(), *self.indices.values()]
        return digest([block.model_dump(mode="json") for block in blocks])


def digest(value: Any) -> str:
    """Return the sha256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def load(root: Path) -> Pack:
    """Return the pack in folder `root`. Raises PackError with one line for each fault."""
    if not (root / "pack.yml").is_file():
        raise PackError([f"pack.yml:1: no such file in {root}"])
    loader = _Loader(root)
    pack = loader.load()
    if loader.faults:
        raise PackError(loader.faults)
    return pack


class _Loader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[str] = []
        self.places: dict[str, tuple[Document, Path_]] = {}  # "source:x" -> where it stands

    def load(self) -> Pack:
        file = self._read("pack.yml")
        head = self._model(PackFile, file, ())
        sources: dict[str, FetchedSource] = {}
        counted: dict[str, CountedSource] = {}
        for document in self._folder("sources"):
            self._source(document, sources, counted)
        indicators = dict(self._listed("indicators", Indicator))
        indices = dict(self._listed("indices", Index))
        if self.faults or not isinstance(head, PackFile):
            raise PackError(self.faults)
        pack = Pack(self.root, head, sources, counted, indicators, indices)
        pack.locked = self._locked(pack)
        self.places["pack"] = (file, ())
        _References(self, pack).check()
        return pack

    def _read(self, name: str) -> Document:
        return pack_yaml.load(self.root / name, name)

    def _folder(self, folder: str) -> Iterator[Document]:
        for path in sorted((self.root / folder).glob("*.y*ml")):
            try:
                yield self._read(f"{folder}/{path.name}")
            except PackError as error:
                self.faults += error.lines

    def _model(self, model: type[Block], document: Document, path: Path_, value: Any = None) -> Any:
        raw = document.value if value is None and not path else value
        if not isinstance(raw, dict):
            self.faults.append(document.fault(path, "a mapping of keys is due"))
            return None
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                where, text = _explain(item)
                self.faults.append(document.fault((*path, *where), text))
            return None

    def _source(self, document: Document, sources: dict[str, FetchedSource], counted: dict[str, CountedSource]) -> None:
        is_counted = isinstance(document.value, dict) and "from" in document.value
        model = self._model(CountedSource if is_counted else FetchedSource, document, ())
        if model is None:
            return
        stem = Path(document.name).stem
        if model.id != stem:
            self.faults.append(document.fault(("id",), f"{model.id}: must equal the file's name, {stem}"))
        if isinstance(model, FetchedSource):
            made_for_events = model.read.format in EVENT_FORMATS
            if model.map is None and not (made_for_events and model.into == "events"):
                self.faults.append(document.fault((), "map: missing"))
                return
            mapped = self._model(MAPS[model.into], document, ("map",), model.map if model.map is not None else {})
            if mapped is None:
                return
            if not model.columns and not made_for_events:
                self.faults.append(document.fault((), "columns: missing"))
            sources[model.id] = model.model_copy(update={"map": mapped})
        else:
            counted[model.id] = model
        self.places[f"source:{model.id}"] = (document, ())

    def _listed(self, folder: str, model: type[Block]) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for document in self._folder(folder):
            many = isinstance(document.value, list)
            for i, value in enumerate(document.value if many else [document.value]):
                path: Path_ = (i,) if many else ()
                item = self._model(model, document, path, value if value is not None else {})
                if item is None:
                    continue
                if item.id in seen:
                    self.faults.append(document.fault((*path, "id"), f"{item.id}: declared twice"))
                seen.add(item.id)
                self.places[f"{folder}:{item.id}"] = (document, path)
                yield item.id, item

    def _locked(self, pack: Pack) -> dict[tuple[str, str], dict[str, Any]]:
        path = self.root / "snapshots.lock"
        if not path.is_file():
            return {}
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            return {(e["source"], e["part"]): e for e in entries}
        except (ValueError, KeyError, TypeError) as error:
            self.faults.append(f"snapshots.lock:1: not a list of pinned snapshots: {error}")
            return {}

    def fault(self, place: str, path: Path_, message: str) -> None:
        document, prefix = self.places[place]
        self.faults.append(document.fault((*prefix, *path), message))


def _explain(item: Any) -> tuple[Path_, str]:
    """Return the place and the words for one error of pydantic."""
    path = tuple(p for p in item["loc"] if not (isinstance(p, str) and (p.startswith("function-") or p in ("float", "str", "int"))))
    if item["type"] == "extra_forbidden":
        return path, "unknown key"
    if item["type"] == "missing":
        return path, "missing"
    if path and path[-1] == "[key]":
        return path[:-1], f"not a valid name: {item['msg']}"
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    found = item.get("input")
    shown = f" (found {found!r})" if isinstance(found, str | int | float | bool) else ""
    return path, message[:1].lower() + message[1:] + shown


class _References:
    """Everything one declaration says about another."""

    def __init__(self, loader: _Loader, pack: Pack) -> None:
        self.loader = loader
        self.pack = pack
        self.levels = [level.id for level in pack.file.levels]
        self.measures = self._measures()

    def fault(self, place: str, path: Path_, message: str) -> None:
        self.loader.fault(place, path, message)

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
        self._measure("pack", ("weight",), head.weight)
        for j, name in enumerate(head.peers.by if head.peers else []):
            if name not in self.measures and name not in self.pack.indicators:
                self.fault("pack", ("peers", "by", j), f"{name}: no such measure or indicator")

    def _source(self, source: FetchedSource) -> None:
        place = f"source:{source.id}"
        variables = set(source.fetch.parts or {})
        for name in _VARIABLE.findall(source.fetch.url):
            if name not in variables:
                self.fault(place, ("fetch", "url"), f"{{{name}}}: no such variable of parts")
        if source.fetch.brings_records:
            if source.read.format not in PUSHED_FORMATS:
                self.fault(place, ("read", "format"), f"pushed records are {', '.join(PUSHED_FORMATS)}")
            if source.read.records or source.read.member:
                self.fault(place, ("read",), "pushed records come one by one: neither records nor member")
        if source.fetch.cadence is not None and not cadence.is_valid(source.fetch.cadence):
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
        if indicator.formula is None:
            return
        formula = indicator.formula
        for side, terms in (("numerator", formula.numerator), ("denominator", formula.denominator)):
            for i, term in enumerate(terms):
                self._measure(place, ("formula", side, i, "measure"), term.measure, built_in=True)
                self._measure(place, ("formula", side, i, "times"), term.times, built_in=True)
                single = len(formula.numerator) == 1 and not formula.denominator and not term.times
                if self._weighted(term.measure) and not single:
                    text = f"{term.measure}: a measure with weighted_by is allowed only as a formula's single term"
                    self.fault(place, ("formula", side, i, "measure"), text)

    def _index(self, index: Index) -> None:
        place = f"indices:{index.id}"
        if index.level not in self.levels:
            self.fault(place, ("level",), f"{index.level}: no such level")
        seen = {index.id}

        def walk(components: list[Any], path: Path_) -> None:
            for i, component in enumerate(components):
                here = (*path, i)
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
