"""What a release was made from, as digests: enough to say later why a number changed. Compares two such records; computes no digest.

The caller fills it in and the release keeps it as `provenance.json`. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PATH = "provenance.json"
METHOD, BOUNDARY, REVISED, CORRECTED, EXTENDED = range(1, 6)
"""Reasons for a changed number, the one that outweighs all others first."""


@dataclass(frozen=True)
class SourceFacts:
    """`parts`: checksum of the bytes by part. `declaration`: what turns them into observations, `corrections` apart."""

    parts: Mapping[str, str]
    declaration: str = ""
    corrections: str = ""


@dataclass(frozen=True)
class IndicatorFacts:
    """`declaration`: what the numbers depend on; `sources`: those of its measures."""

    declaration: str
    sources: Sequence[str] = ()


@dataclass(frozen=True)
class IndexFacts:
    """`declaration`: what the scores depend on; `indicators`: its leaves."""

    declaration: str
    indicators: Sequence[str] = ()


@dataclass(frozen=True)
class Provenance:
    """`shared` are sources that every row may depend on, such as that of the weights; `area_changes` is [from, to, on, share];
    `breaks` are the declared ones: source, measure, period, note. `settings` and `code` stand for all else."""

    sources: Mapping[str, SourceFacts] = field(default_factory=dict)
    indicators: Mapping[str, IndicatorFacts] = field(default_factory=dict)
    indices: Mapping[str, IndexFacts] = field(default_factory=dict)
    shared: Sequence[str] = ()
    area_changes: Sequence[Sequence[str]] = ()
    breaks: Sequence[Mapping[str, str]] = ()
    settings: str = ""
    code: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Provenance:
        """Return what `as_dict` made. Raises KeyError or TypeError on anything else."""
        return cls(
            {name: SourceFacts(**f) for name, f in value["sources"].items()},
            {name: IndicatorFacts(**f) for name, f in value["indicators"].items()},
            {name: IndexFacts(**f) for name, f in value["indices"].items()},
            *(value[k] for k in ("shared", "area_changes", "breaks", "settings", "code")),
        )


def read(release: Path) -> dict[str, Any] | None:
    """Return the content of a release's provenance.json; None where it has none that can be read."""
    try:
        value = json.loads((release / PATH).read_bytes())
        return value if isinstance(value, dict) else None
    except (OSError, ValueError):
        return None


def compared_with(release: Path) -> str | None:
    """Return the version that the table `changes` of a release is against; None for a first release."""
    found = read(release)
    version = found.get("compared_with") if found else None
    return version if isinstance(version, str) else None


def of_release(release: Path) -> Provenance:
    """Return the record of a release; an empty one, from which all differs, where it has none."""
    try:
        return Provenance.of(read(release) or {})
    except (KeyError, TypeError, AttributeError):
        return Provenance()


# ------------------------------------------------------------------------------------------------------- two records


@dataclass(frozen=True)
class Reasons:
    """Why numbers may have changed between two releases, by what they depend on; what is not named did not change."""

    source: Mapping[str, int]
    indicator: Mapping[str, int]
    declared: frozenset[str]  # indicators that are declared otherwise
    index: Mapping[str, int]
    elsewhere: int | None  # for rows that nothing nearer explains; None: a boundary if one changed, else the method


def between(old: Provenance, new: Provenance) -> Reasons:
    """Return why a number of `new` may differ from that of `old`."""
    source = _present({name: _of_source(old.sources.get(name), new.sources.get(name)) for name in {*old.sources, *new.sources}})
    declared = {
        name for name in {*old.indicators, *new.indicators} if _declared(old.indicators.get(name), new.indicators.get(name)) is not None
    }
    indicator: dict[str, int | None] = {}
    for name in {*old.indicators, *new.indicators}:
        sources = {s for side in (old, new) if name in side.indicators for s in side.indicators[name].sources}
        indicator[name] = METHOD if name in declared else _first(source.get(s) for s in sources)
    index: dict[str, int | None] = {}
    for name in {*old.indices, *new.indices}:
        leaves = {i for side in (old, new) if name in side.indices for i in side.indices[name].indicators}
        index[name] = _declared(old.indices.get(name), new.indices.get(name)) or _first(indicator.get(i) for i in leaves)
    elsewhere = _first(source.get(s) for s in {*old.shared, *new.shared})
    if elsewhere is None and (old.settings, old.code) != (new.settings, new.code):
        elsewhere = METHOD
    if elsewhere is None:
        elsewhere = _first(source.values())
    return Reasons(source, _present(indicator), frozenset(declared), _present(index), elsewhere)


def _of_source(old: SourceFacts | None, new: SourceFacts | None) -> int | None:
    if old is None or new is None:
        return EXTENDED if old is None else REVISED
    if old.declaration != new.declaration:
        return METHOD
    if any(new.parts.get(part) != sha256 for part, sha256 in old.parts.items()):
        return REVISED
    if old.corrections != new.corrections:
        return CORRECTED
    return EXTENDED if old.parts != new.parts else None


def _declared(old: IndicatorFacts | IndexFacts | None, new: IndicatorFacts | IndexFacts | None) -> int | None:
    return METHOD if old is None or new is None or old.declaration != new.declaration else None


def _first(reasons: Iterable[int | None]) -> int | None:
    return min((reason for reason in reasons if reason is not None), default=None)


def _present(reasons: Mapping[str, int | None]) -> dict[str, int]:
    return {name: reason for name, reason in sorted(reasons.items()) if reason is not None}
