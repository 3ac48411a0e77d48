"""The record of what a release was made from, as digests, and the comparison of two records: why did a number change?

The caller fills in the record, and the release keeps it as `provenance.json`. Computes no digest; uses only the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PATH = "provenance.json"
METHOD, BOUNDARY, REVISED, CORRECTED, EXTENDED = range(1, 6)
"""Reasons for a changed number, in order of precedence."""


@dataclass(frozen=True)
class SourceFacts:
    """`parts` has the checksum of each part. `declaration` covers how observations are made from them, except for `corrections`."""

    parts: Mapping[str, str]
    declaration: str = ""
    corrections: str = ""


@dataclass(frozen=True)
class IndicatorFacts:
    """`declaration` covers what the numbers depend on; `sources` are the sources of its measures."""

    declaration: str
    sources: Sequence[str] = ()


@dataclass(frozen=True)
class IndexFacts:
    """`declaration` covers what the scores depend on; `indicators` are its leaves."""

    declaration: str
    indicators: Sequence[str] = ()


@dataclass(frozen=True)
class Provenance:
    """Digests of everything that numbers depend on.

    `shared` are sources that every row may depend on, such as the source of the weights. An area change is [from, to, on, share].
    `breaks` are the declared breaks in series: source, measure, period, note, and note_<language>. `settings` and
    `code` cover everything else.
    """

    sources: Mapping[str, SourceFacts] = field(default_factory=dict)
    indicators: Mapping[str, IndicatorFacts] = field(default_factory=dict)
    indices: Mapping[str, IndexFacts] = field(default_factory=dict)
    shared: Sequence[str] = ()
    area_changes: Sequence[Sequence[str]] = ()
    breaks: Sequence[Mapping[str, str]] = ()
    settings: str = ""
    code: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Provenance:
        """Return the record that `to_json` wrote. Raises KeyError or TypeError for anything else."""
        return cls(
            {name: SourceFacts(**f) for name, f in value["sources"].items()},
            {name: IndicatorFacts(**f) for name, f in value["indicators"].items()},
            {name: IndexFacts(**f) for name, f in value["indices"].items()},
            *(value[k] for k in ("shared", "area_changes", "breaks", "settings", "code")),
        )


def read(release: Path) -> dict[str, Any] | None:
    """Return the content of a release's provenance.json; None if it is missing or cannot be read."""
    try:
        value = json.loads((release / PATH).read_bytes())
        return value if isinstance(value, dict) else None
    except (OSError, ValueError):
        return None


def compared_with(release: Path) -> str | None:
    """Return the version that the table `changes` of a release compares with; None for a first release."""
    content = read(release)
    version = content.get("compared_with") if content else None
    return version if isinstance(version, str) else None


def of_release(release: Path) -> Provenance:
    """Return the record of a release. If it has none, return an empty record, which differs from every other."""
    try:
        return Provenance.from_json(read(release) or {})
    except (KeyError, TypeError, AttributeError):
        return Provenance()


# ---------------------------------------------------------------------------------------------------------- comparison


@dataclass(frozen=True)
class Reasons:
    """Why numbers may have changed between two releases, by what they depend on. Anything that is not listed did not change."""

    source: Mapping[str, int]
    indicator: Mapping[str, int]
    redeclared: frozenset[str]  # indicators with a changed declaration
    index: Mapping[str, int]
    fallback: int | None  # for rows without a more specific reason; None: a boundary if any changed, else `otherwise`
    otherwise: int = METHOD
    unread: frozenset[str] = frozenset()  # changed sources that no indicator and no weight reads, such as those of areas


def between(old: Provenance, new: Provenance) -> Reasons:
    """Return why a number of `new` may differ from the same number of `old`."""
    source = _present({name: _source_reason(old.sources.get(name), new.sources.get(name)) for name in {*old.sources, *new.sources}})
    redeclared = {
        name
        for name in {*old.indicators, *new.indicators}
        if _declaration_reason(old.indicators.get(name), new.indicators.get(name)) is not None
    }
    indicator: dict[str, int | None] = {}
    for name in {*old.indicators, *new.indicators}:
        sources = {s for side in (old, new) if name in side.indicators for s in side.indicators[name].sources}
        indicator[name] = METHOD if name in redeclared else _first(source.get(s) for s in sources)
    index: dict[str, int | None] = {}
    for name in {*old.indices, *new.indices}:
        leaves = {i for side in (old, new) if name in side.indices for i in side.indices[name].indicators}
        index[name] = _declaration_reason(old.indices.get(name), new.indices.get(name)) or _first(indicator.get(i) for i in leaves)
    fallback = _first(source.get(s) for s in {*old.shared, *new.shared})
    if fallback is None and (old.settings, old.code) != (new.settings, new.code):
        fallback = METHOD
    read = {s for side in (old, new) for f in side.indicators.values() for s in f.sources} | {*old.shared, *new.shared}
    if fallback is None:
        fallback = _first(reason for name, reason in source.items() if name in read)
    otherwise = _first(source.values()) or METHOD
    return Reasons(source, _present(indicator), frozenset(redeclared), _present(index), fallback, otherwise, frozenset(source) - read)


def _source_reason(old: SourceFacts | None, new: SourceFacts | None) -> int | None:
    if old is None or new is None:
        return EXTENDED if old is None else REVISED
    if old.declaration != new.declaration:
        return METHOD
    if any(new.parts.get(part) != sha256 for part, sha256 in old.parts.items()):
        return REVISED
    if old.corrections != new.corrections:
        return CORRECTED
    return EXTENDED if old.parts != new.parts else None


def _declaration_reason(old: IndicatorFacts | IndexFacts | None, new: IndicatorFacts | IndexFacts | None) -> int | None:
    return METHOD if old is None or new is None or old.declaration != new.declaration else None


def _first(reasons: Iterable[int | None]) -> int | None:
    """Return the reason with the highest precedence."""
    return min((reason for reason in reasons if reason is not None), default=None)


def _present(reasons: Mapping[str, int | None]) -> dict[str, int]:
    return {name: reason for name, reason in sorted(reasons.items()) if reason is not None}
