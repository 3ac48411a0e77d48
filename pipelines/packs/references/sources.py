"""References in `sources/*.yml`: addresses, variables of `parts`, columns, expressions, and the names that a map uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from pipelines.core import schedule
from pipelines.core.yaml import KeyPath
from pipelines.packs import expressions
from pipelines.packs.references.licences import NO_ASSERTION, licence_fault
from pipelines.packs.references.names import AREA_FIELDS, BUILT_IN_MEASURES, Names, web_address_fault
from pipelines.packs.schema import (
    AreasMap,
    Block,
    BoundariesMap,
    ColumnSpec,
    CountedSource,
    EventsMap,
    FetchedSource,
    ObservationsMap,
    RegisterMap,
)
from pipelines.readers.options import EVENT_COLUMNS, EVENT_FORMATS, VARIABLE_OPTIONS

_FIRST = ("areas", "area_changes")
"""The kinds of sources that the ingest processes before all others, in this order."""
EVENT_FIELDS = {"id", "title", "start", "end", "ref_area", "category", "organiser_kind", "audience", "is_free", "is_accessible",
                "is_online", "status", "url", "lat", "lon"}  # fmt: skip
REGISTER_FIELDS = {"register", "id", "ref_area", "valid_from", "valid_to", "status", "amount", "currency"}
_ROW_FIELDS = {"source", "part", "row_number", "snapshot", "attributes", "time_period"}
"""What the lake says of every entry of a register; no condition can use it."""
PUSHED_FORMATS = ("json", "ofn-events", "ofn-notices", "schema-org-events")
_VARIABLE = re.compile(r"(?<!\$)\{([A-Za-z][A-Za-z0-9_]*)\}")
_ENVIRONMENT = re.compile(r"\$\{?(ZPO2_SECRET_[A-Z0-9_]*)\}?")
_NO_EXPRESSIONS = {"aggregate", "periods", "additive", "divisible", "weighted_by", "scale", "scheme"}
_NEVER_STORED_AS_TEXT = {"value", "where", "lat", "lon", "area_km2", "amount", "sex"}


def check_fetched(names: Names, source: FetchedSource) -> None:
    """Report the faults of a source that is fetched or pushed."""
    block = f"source:{source.id}"
    names.check_texts(block, ("title",), source.title)
    if message := licence_fault(source.licence):
        names.report(block, ("licence",), message)
    names.check_web_address(block, ("homepage",), source.homepage)
    names.check_web_address(block, ("licence_url",), source.licence_url)
    names.check_web_address(block, ("carrier", "homepage"), source.carrier.homepage if source.carrier else None)
    names.check_texts(block, ("rights",), source.rights)
    if source.rights and source.licence != NO_ASSERTION:
        names.report(block, ("rights",), f"the licence is {source.licence}; rights are for sources without one (NOASSERTION)")
    if source.carrier and (message := licence_fault(source.carrier.licence)):
        names.report(block, ("carrier", "licence"), message)
    _check_fetch(names, block, source)
    _check_corrections(names, block, source)
    for name, spec in source.columns.items():
        _check_column(names, block, name, spec)
    _check_lookups(names, block, source)
    _check_expressions(names, block, source)
    names.check_areas(block, ("universe",), source.universe)
    names.check_breaks(block, source.breaks)
    measures = source.map.measures if isinstance(source.map, ObservationsMap) else {}
    for i, note in enumerate(source.notes):
        names.check_texts(block, ("notes", i, "note"), note.note)
        names.check_areas(block, ("notes", i, "areas"), note.areas)
        for j, measure in enumerate(note.measures):
            if measure not in measures:
                names.report(block, ("notes", i, "measures", j), f"{measure}: not a measure of this source")
    _check_map(names, block, source.map)


def check_counted(names: Names, counted: CountedSource) -> None:
    """Report the faults of a source that counts events or entries of registers."""
    block = f"source:{counted.id}"
    names.check_texts(block, ("title",), counted.title)
    fields = set(EVENT_FIELDS if counted.from_ == "events" else REGISTER_FIELDS)
    if counted.from_ == "register":
        fields |= names.register_attributes
    if not any(source.into == counted.from_ for source in names.pack.sources.values()):
        names.report(block, ("from",), f"{counted.from_}: no source provides any")
    for key, expression in (("where", counted.where), ("period", counted.period)):
        message = expressions.fault(expression, fields) if expression is not None else None
        if message:
            names.report(block, (key,), message)
    for measure, expression in counted.measures.items():
        message = expressions.fault(expression, fields, aggregate=True)
        if message:
            names.report(block, ("measures", measure), message)
    names.check_areas(block, ("universe",), counted.universe)
    names.check_breaks(block, counted.breaks)


def _check_fetch(names: Names, block: str, source: FetchedSource) -> None:
    fetch, variables = source.fetch, set(source.fetch.parts or {})
    message = _address_fault(fetch.url)
    if message:
        names.report(block, ("fetch", "url"), f"{fetch.url}: {message}")
    for path, text, takes_variables in _texts(source):
        if (match := _ENVIRONMENT.search(text)) and path[0] == "fetch":
            message = (
                f"{match[0]}: a secret cannot stand in a text; write {{secret_env: {match[1]}}} as the value of a key of params or headers"
            )
            names.report(block, path, message)
        for variable in _VARIABLE.findall(text):
            if variable in variables and not takes_variables:
                names.report(block, path, f"{{{variable}}}: a variable of parts is not filled in here")
            elif variable not in variables and (path == ("fetch", "url") or (path[0] == "read" and variables)):
                names.report(block, path, f"{{{variable}}}: parts has no such variable")
    if fetch.brings_records:
        if source.read.format not in PUSHED_FORMATS:
            names.report(block, ("read", "format"), f"pushed records must have one of the formats {', '.join(PUSHED_FORMATS)}")
        if source.read.records or source.read.member:
            names.report(block, ("read",), "pushed records arrive one by one: remove records and member")
    if fetch.cadence is not None and not schedule.is_valid(fetch.cadence):
        names.report(block, ("fetch", "cadence"), f"{fetch.cadence}: not a cron expression")
    for name in variables & set(source.columns):
        if source.columns[name].from_ not in (None, name):
            names.report(block, ("columns", name), "is a variable of parts and cannot be read from the file as well")


_WITH_VARIABLES = {("fetch", "url"), ("fetch", "params"), ("fetch", "body"), ("fetch", "catalogue", "item")}


def _texts(source: FetchedSource) -> Iterator[tuple[KeyPath, str, bool]]:
    """Yield (path, text, whether variables of `parts` are filled in there) of the texts in `fetch` and `read`, other than expressions."""
    for block in ("fetch", "read"):
        for path, text in _nested_texts(getattr(source, block).model_dump(exclude={"parts", "ignore"}, exclude_none=True), (block,)):
            takes = any(path[: len(place)] == place for place in _WITH_VARIABLES) or (block == "read" and path[1] in VARIABLE_OPTIONS)
            yield path, text, takes


def _nested_texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _nested_texts(item, (*path, key))


def _check_corrections(names: Names, block: str, source: FetchedSource) -> None:
    """Report corrections of columns that nothing reads: they would change nothing."""
    read = {spec.from_ or name for name, spec in source.columns.items()}
    if source.read.format in EVENT_FORMATS:
        read |= set(EVENT_COLUMNS)
    for i, correction in enumerate(source.corrections):
        for column in correction.set:
            if column not in read and not (source.read.ignore and _uses(source.read.ignore, column)):
                message = f"{column}: no such column in `columns` (corrections use the names in the file)"
                names.report(block, ("corrections", i, "set", column), message)


def _uses(expression: str, column: str) -> bool:
    try:
        return column.lower() in {name.lower() for name in expressions.parse(expression).columns}
    except expressions.ExpressionError:
        return False  # it is reported elsewhere


def _check_column(names: Names, block: str, name: str, spec: ColumnSpec) -> None:
    if spec.pattern is not None and not _is_pattern(spec.pattern):
        message = f"{spec.pattern}: not a regular expression (look-around and back-references are not supported)"
        names.report(block, ("columns", name, "pattern"), message)
    low, high = _number(spec.min), _number(spec.max)
    if spec.type in ("integer", "number") and low is not None and high is not None and low > high:
        names.report(block, ("columns", name, "max"), f"{spec.max}: less than min, {spec.min}")


def _check_expressions(names: Names, block: str, source: FetchedSource) -> None:
    """Report expressions that are wrong, name a column that does not exist, or would store personal data; and keys without column."""
    columns = columns_of_file(source)
    for i, name in enumerate(source.key):
        if name not in columns:
            names.report(block, ("key", i), f"{name}: no such column")
        elif name in source.key[:i]:
            names.report(block, ("key", i), f"{name}: is listed twice")
    columns |= {column for lookup in source.lookups.values() for column in lookup.take}
    personal = {name.lower() for name in names.pack.personal_columns(source)}
    for path, expression, stored in _expressions(source):
        of_file = path[0] in ("read", "corrections")
        message = expressions.fault(expression, None if of_file else columns) or (None if of_file else _ambiguity(expression, columns))
        if message:
            names.report(block, path, message)
        elif stored and personal & {column.lower() for column in expressions.parse(expression).columns}:
            names.report(block, path, "uses a personal column, which must never be stored")


def _ambiguity(expression: str, columns: set[str]) -> str | None:
    """Return which columns an expression may mean, if they differ only in case: SQL does not tell them apart."""
    for name in sorted(expressions.parse(expression).columns):
        similar = sorted(column for column in columns if column.lower() == name.lower())
        if len(similar) > 1:
            return f"{name}: the columns {' and '.join(similar)} differ only in case; give one of them another name with `from`"
    return None


def columns_of_file(source: FetchedSource) -> set[str]:
    """Return the columns that a source has without its lookups: the declared ones, the variables of `parts`, the fields of event formats."""
    fields = set(EVENT_COLUMNS) if source.read.format in EVENT_FORMATS else set()
    return set(source.columns) | set(source.fetch.parts or {}) | fields


def _check_lookups(names: Names, block: str, source: FetchedSource) -> None:
    """Report lookups in sources that cannot be looked up, in a circle, by or of columns that do not exist, and new columns that are not new."""
    columns = columns_of_file(source)
    for name, lookup in source.lookups.items():
        path: KeyPath = ("lookups", name)
        other = names.pack.sources.get(lookup.source)
        message = _lookup_fault(names, source, lookup.source)
        if message or other is None:
            names.report(block, (*path, "source"), f"{lookup.source}: {message}")
            continue
        of_other = columns_of_file(other) | {column for chained in other.lookups.values() for column in chained.take}
        for here, there in lookup.on.items():
            for expression, known, where in ((here, columns, ""), (there, of_other, f" in {other.id}")):
                if fault := expressions.fault(expression, known) or _ambiguity(expression, known):
                    names.report(block, (*path, "on", here), f"{fault}{where}")
        for column, taken in lookup.take.items():
            if taken not in of_other:
                names.report(block, (*path, "take", column), f"{taken}: no such column in {other.id}")
            if column.lower() in {existing.lower() for existing in columns}:
                names.report(block, (*path, "take", column), f"{column}: there is a column of this name already")
            columns.add(column)


def _lookup_fault(names: Names, source: FetchedSource, looked_up: str) -> str | None:
    """Return why a source cannot look up another one, or None."""
    other = names.pack.sources.get(looked_up)
    if other is None:
        return "no such source that is fetched"
    if source.enabled and not other.enabled:
        return "the source is not enabled"
    if other.fetch.brings_records:
        return "pushed records cannot be looked up"
    if _turn(source) < _turn(other):
        return f"sources of {source.into} are read before those of {other.into}"
    if source.id in names.pack.looked_up(other):
        return "the lookups form a circle"
    return None


def _turn(source: FetchedSource) -> int:
    return _FIRST.index(source.into) if source.into in _FIRST else len(_FIRST)


def _check_map(names: Names, block: str, block_map: Any) -> None:
    if isinstance(block_map, ObservationsMap):
        names.check_scheme(block, ("map", "area"), block_map.area)
        for name, measure in block_map.measures.items():
            names.check_measure(block, ("map", "measures", name, "weighted_by"), measure.weighted_by)
            if measure.weighted_by and measure.additive:
                names.report(block, ("map", "measures", name), "weighted_by is for measures with additive: false")
            if name in BUILT_IN_MEASURES:
                names.report(block, ("map", "measures", name), f"{name}: is the name of a built-in measure")
    elif isinstance(block_map, AreasMap):
        for i, area in enumerate(block_map.area):
            for level in area.parents:
                names.check_level(block, ("map", "area", i, "parents", level), level)
            _check_attributes(names, block, ("map", "area", i, "attributes"), area.attributes, AREA_FIELDS, names.area_attributes)
    elif isinstance(block_map, BoundariesMap | EventsMap | RegisterMap) and block_map.area:
        names.check_scheme(block, ("map", "area"), block_map.area)
    if isinstance(block_map, RegisterMap):
        _check_attributes(
            names, block, ("map", "attributes"), block_map.attributes, REGISTER_FIELDS | _ROW_FIELDS, names.register_attributes
        )


def _check_attributes(
    names: Names, block: str, path: KeyPath, attributes: Iterable[str], fields: Collection[str], others: Collection[str]
) -> None:
    """Report attributes that a condition could not tell from the `fields` or from `others`, all attributes of their kind: SQL ignores case."""
    for name in attributes:
        if name.startswith("__") or name.lower() in fields:
            names.report(block, (*path, name), f"{name}: is the name of a field; choose another name")
        similar = sorted(other for other in others if other.lower() == name.lower())
        if len(similar) > 1:
            names.report(block, (*path, name), f"the attributes {' and '.join(similar)} differ only in case; give them one name")


def _number(value: float | str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _address_fault(url: str) -> str | None:
    """Return why nothing can be fetched from `url`, None where it is http(s) or a path inside the pack or an operator's folder."""
    if not url.isprintable():
        return "an address has no control characters"
    if re.match(r"https?://", url, re.IGNORECASE):
        return web_address_fault(re.sub(r"\{\w+\}", "0", url))
    if not url:
        return None
    path = re.sub(r"^\$\{ZPO2_DIR_[A-Z0-9_]+\}/", "", url)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path) or "${" in path:
        return "expected http, https, a path inside the pack, or ${ZPO2_DIR_NAME}/path"
    if path.startswith("/") or ".." in path.split("/"):
        return "a path must stay inside the pack"
    return None


def _is_pattern(pattern: str) -> bool:
    import polars as pl  # the contract uses its regular expressions; a pack without patterns does not pay for the import

    try:
        pl.Series([""]).str.contains(f"^(?:{pattern})$")
    except pl.exceptions.ComputeError:
        return False
    return True


def columns_of_map(source: FetchedSource) -> frozenset[str]:
    """Return the names (lower case) of the columns that the expressions of a map and of lookups use."""
    texts = [expression for _, expression, _ in _map_expressions(source.map, ("map",))] if source.map is not None else []
    texts += [here for lookup in source.lookups.values() for here in lookup.on]
    return frozenset(column.lower() for text in texts for column in expressions.parse(text).columns)


def _expressions(source: FetchedSource) -> Iterator[tuple[KeyPath, str, bool]]:
    """Yield (path, expression, whether its result is stored as text) of every expression of a source."""
    if source.read.ignore is not None:
        yield ("read", "ignore"), source.read.ignore, False
    for i, correction in enumerate(source.corrections):
        yield ("corrections", i, "where"), correction.where, False
    for i, note in enumerate(source.notes):
        if note.where is not None:
            yield ("notes", i, "where"), note.where, False
    yield from _map_expressions(source.map, ("map",))


def _map_expressions(block: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str, bool]]:
    for name, info in type(block).model_fields.items():
        value = getattr(block, name)
        if value is not None and name not in _NO_EXPRESSIONS:
            yield from _nested_expressions(value, (*path, info.alias or name), stored=name not in _NEVER_STORED_AS_TEXT)


def _nested_expressions(value: Any, path: KeyPath, stored: bool) -> Iterator[tuple[KeyPath, str, bool]]:
    if isinstance(value, Block):
        yield from _map_expressions(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _nested_expressions(item, (*path, key), stored)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _nested_expressions(item, (*path, i), stored)
    else:
        yield path, value, stored
