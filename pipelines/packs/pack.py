"""A pack as the rest of the pipeline knows it: its checked blocks, the parts of its sources, its digest. Reads no file."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.packs.schema import Block, CountedSource, FetchedSource, Index, Indicator, PackFile


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
