"""A loaded pack: its checked blocks, the parts of its sources, and its digest."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelines.core.fingerprint import digest
from pipelines.core.vocabulary import AREA_KM2, AREAS
from pipelines.packs.schema import Block, CountedSource, FetchedSource, Index, Indicator, ObservationsMap, PackFile
from pipelines.packs.schema.fetch import part_name

_VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Part:
    """One combination of the variables of `parts`; a source without parts has one, named ''."""

    name: str
    variables: dict[str, str]

    def filled(self, text: str, *, escape: bool = False) -> str:
        """Return `text` with each `{variable}` replaced by its value, percent-encoded where `escape` is true."""

        def value(match: re.Match[str]) -> str:
            text = self.variables.get(match[1], match[0])
            return quote(text, safe="") if escape and match[1] in self.variables else text

        return _VARIABLE.sub(value, text)


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
        """Return the text in `language` (default: the pack's first language), or in another language if it has none."""
        if not texts:
            return ""
        first = self.file.languages[0]
        for key in (language or first, "" if (language or first) == first else first, first, ""):
            if key in texts:
                return texts[key]
        return next(iter(texts.values()))

    def parts(self, source: FetchedSource) -> list[Part]:
        """Return the parts of `source` in the order of the declaration; none if its records are pushed (`extract.source_state` has those)."""
        if source.fetch.brings_records:
            return []
        if not source.fetch.parts:
            return [Part("", {})]
        names = list(source.fetch.parts)
        combinations = itertools.product(*source.fetch.parts.values())
        return [Part(part_name(names, values), dict(zip(names, values, strict=True))) for values in combinations]

    def looked_up(self, source: FetchedSource) -> set[str]:
        """Return the sources that `source` looks up, directly or by lookups of theirs; itself if they form a circle."""
        names: set[str] = set()
        waiting = [lookup.source for lookup in source.lookups.values()]
        while waiting:
            name = waiting.pop()
            if name not in names and name in self.sources:
                names.add(name)
                waiting += [lookup.source for lookup in self.sources[name].lookups.values()]
        return names

    def with_looked_up(self, names: Iterable[str]) -> list[str]:
        """Return the names of sources, and of the sources that they look up, in order."""
        return sorted({*names, *(other for name in names if name in self.sources for other in self.looked_up(self.sources[name]))})

    def after_looked_up(self, sources: Iterable[FetchedSource]) -> list[FetchedSource]:
        """Return the sources in their order, but those with lookups after all others and after the sources that they look up."""
        return sorted(sources, key=self._lookup_depth)

    def _lookup_depth(self, source: FetchedSource) -> int:
        """Return how long the longest chain of lookups is that begins with a source. `check` refuses circles."""
        depths = [self._lookup_depth(self.sources[lookup.source]) + 1 for lookup in source.lookups.values()]
        return max(depths, default=0)

    def personal_columns(self, source: FetchedSource) -> set[str]:
        """Return the columns of a source with personal data: those it declares, and those it takes from personal ones by its lookups."""
        columns = {name for name, spec in source.columns.items() if spec.personal}
        for lookup in source.lookups.values():
            other = self.sources.get(lookup.source)
            if other is not None and source.id not in self.looked_up(source):
                personal = self.personal_columns(other)
                columns |= {column for column, taken in lookup.take.items() if taken in personal}
        return columns

    def part_range(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return the variable and the values that `VAR=A..B` or `VAR=A` selects, in declared order. Raises ValueError if there are none."""
        variable, _, span = text.partition("=")
        first, _, last = span.partition("..")
        values = list(dict.fromkeys(v for s in self.sources.values() for v in (s.fetch.parts or {}).get(variable, [])))
        if first not in values or (last or first) not in values:
            raise ValueError(f"{text}: no source has these parts; the values of {variable} are {', '.join(values) or '(none)'}")
        return variable, tuple(values[values.index(first) : values.index(last or first) + 1])

    @cached_property
    def measures_read(self) -> frozenset[str]:
        """The measures that indicators read, and those by which these are weighted."""
        formulas = [indicator.formula for indicator in self.indicators.values() if indicator.formula is not None]
        terms = [term for formula in formulas for term in (*formula.numerator, *formula.denominator)]
        read = {measure for term in terms for measure in (term.measure, term.times) if measure is not None}
        maps = [source.map for source in self.sources.values() if isinstance(source.map, ObservationsMap)]
        weights = {spec.weighted_by for m in maps for name, spec in m.measures.items() if name in read and spec.weighted_by is not None}
        samples = {name for i in self.indicators.values() if i.interval for name in (i.interval.n, i.interval.sd) if name is not None}
        return frozenset(read | weights | samples)

    @cached_property
    def weights(self) -> frozenset[str]:
        """The measures that weight areas: those of the pack and of indicators, and those by which other measures are weighted."""
        maps = [source.map for source in self.sources.values() if isinstance(source.map, ObservationsMap)]
        names = {
            self.file.weight,
            *(indicator.weight for indicator in self.indicators.values()),
            *(spec.weighted_by for m in maps for spec in m.measures.values()),
        }
        return frozenset(name for name in names if name is not None) - {AREAS, AREA_KM2}

    @cached_property
    def digest(self) -> str:
        """The hash of all declarations that a release depends on, independent of the layout of the YAML."""
        blocks: list[Block] = [self.file, *self.sources.values(), *self.counted.values(), *self.indicators.values(), *self.indices.values()]
        return digest([block.model_dump(mode="json", exclude={"owners", "tags"}) for block in blocks])
