"""What the files for programs say about indicators, sources and statuses: texts by language, and facts that follow from the values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.api import optional
from exports.api.cells import Breakdown, IndicatorCells
from exports.metadata.text import is_web, licence_url
from exports.model.info import ReleaseInfo
from pipelines.core import code_texts
from pipelines.core.vocabulary import STATUSES

TEXTS = ("title", "description", "unit", "needed", "supplier")
PLAIN = ("objective", "measure", "field", "direction", "target_value", "decimals", "formula", "sdg", "display")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CHANGE = re.compile(r"; (?:percent|difference|log_ratio) change over (\d+) years?")
_TOLERANCE = 1e-9
"""Published numbers have 12 significant digits."""


def without_change(formula: str) -> str:
    """Return a formula without the rule that makes it one of change: the formula of what changes."""
    return _CHANGE.sub("", formula)


def is_log_ratio(formula: str) -> bool:
    """Say whether a formula is the logarithm of a value over that of some years before."""
    return any(match[0].startswith("; log_ratio") for match in _CHANGE.finditer(formula))


@dataclass(frozen=True)
class Texts:
    """The rows of the tables that have texts: indicators by id, notes by id, breaks by indicator, in the order of the tables."""

    indicators: Mapping[str, Mapping[str, Any]]
    notes: Mapping[str, Mapping[str, Any]]
    breaks: Mapping[str, Sequence[Mapping[str, Any]]]
    languages: Sequence[str]
    measures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Names by language, by measure."""

    def of(self, row: Mapping[str, Any], name: str) -> dict[str, str]:
        """Return the texts `name` of a row by language. Languages without the text are left out."""
        columns = {language: f"{name}_{language.replace('-', '_')}" for language in self.languages}
        return {language: row[column] for language, column in columns.items() if row.get(column)}

    def inputs(self, formula: str) -> dict[str, Mapping[str, str]]:
        """Return the names of the measures that a formula has, by measure."""
        return {name: self.measures[name] for name in dict.fromkeys(_NAME.findall(formula)) if name in self.measures}

    def decimals(self, indicator: str) -> int | None:
        return self.indicators.get(indicator, {}).get("decimals")


def read(parquet: Path, languages: Sequence[str], measures: Mapping[str, Mapping[str, str]] | None = None) -> Texts:
    """Read the tables `indicators`, `status_notes` and `breaks`; the last two may be missing. `measures` are their names by language."""
    breaks: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows(parquet, "breaks"):
        for indicator in filter(None, (row.get("indicators") or "").split(";")):
            breaks.setdefault(indicator, []).append(row)
    indicators = {row["indicator"]: row for row in pl.read_parquet(parquet / "indicators.parquet").to_dicts()}
    return Texts(indicators, {row["note"]: row for row in rows(parquet, "status_notes")}, breaks, languages, measures or {})


def rows(parquet: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table, none if the release does not have it."""
    path = optional.path(parquet, table)
    return pl.read_parquet(path).to_dicts() if path is not None else []


def indicator(name: str, texts: Texts, cells: IndicatorCells | None) -> dict[str, Any]:
    """Return what `indicators.json` says about an indicator. `cells` is None if it has no value."""
    row = texts.indicators.get(name, {})
    about: dict[str, Any] = {"indicator": name, **{text: texts.of(row, text) for text in TEXTS}}
    if not about["unit"] and row.get("unit"):
        about["unit"] = {texts.languages[0]: row["unit"]}
    about |= {key: row.get(key) for key in PLAIN}
    about["inputs"] = texts.inputs(row.get("formula") or "")
    change = _CHANGE.search(row.get("formula") or "")
    about["change_years"] = int(change[1]) if change else None
    about["depends_on_size"] = row.get("depends_on_size") == "true"
    about["sources"] = [source for source in (row.get("sources") or "").split(";") if source]
    about["breaks"] = [
        {"period": own["period"], "source": own["source"], "note": texts.of(own, "note")} for own in texts.breaks.get(name, ())
    ]
    about["group"] = group_rule(cells) if cells else None
    about["has_interval"] = bool(cells) and any(b.has_interval for level in cells.levels for b in level.breakdowns) if cells else False
    about["periods"] = cells.periods if cells else []
    about["levels"] = [_level(level.level.id, level.periods, level.newest, level.breakdowns) for level in cells.levels] if cells else []
    return about


def _level(name: str, periods: Sequence[str], newest: int | None, breakdowns: Sequence[Breakdown]) -> dict[str, Any]:
    return {
        "level": name,
        "newest": None if newest is None else periods[newest],
        "periods": periods,
        "breakdowns": [{"sex": breakdown.sex, "age": breakdown.age} for breakdown in breakdowns],
    }


def group_rule(cells: IndicatorCells) -> dict[str, Any] | None:
    """Return how the value of a group of areas follows from numerators and denominators, None if it does not.

    `ratio`: multiplier x sum of numerators / sum of denominators. `sum`: multiplier x sum of numerators. The rule is one that holds for every
    published value; a sum must also hold between the levels, in a period in which all areas of both have a value.
    """
    whole = [b for level in cells.levels for b in level.breakdowns]
    value, top, low = (np.concatenate([b.numbers[name].ravel() for b in whole]) for name in ("obs_value", "numerator", "denominator"))
    has_value = np.isfinite(value)
    value, top, low = value[has_value], top[has_value], low[has_value]
    is_ratio = np.isfinite(low)
    if not np.isfinite(top).all() or is_ratio.any() != is_ratio.all() or not len(value):
        return None
    base = top / low if is_ratio.all() else top
    if not np.isfinite(base).all() or not base.any():
        return None
    largest = int(np.argmax(np.abs(base)))
    multiplier = float(f"{value[largest] / base[largest]:.9g}")
    if not np.allclose(multiplier * base, value, rtol=_TOLERANCE, atol=0):
        return None
    if is_ratio.all():
        return {"kind": "ratio", "multiplier": multiplier}
    return {"kind": "sum", "multiplier": multiplier} if _adds_up(cells) else None


def _adds_up(cells: IndicatorCells) -> bool:
    """Whether there is a period in which two levels are complete, and the sums of their totals are equal in each such period."""
    sums: dict[str, list[float]] = {}
    for level in cells.levels:
        for breakdown in level.breakdowns:
            if breakdown.is_total:
                for period, row, status in zip(level.periods, breakdown.values, breakdown.status, strict=True):
                    if np.isfinite(row[status != 0]).all() and (status != 0).any():
                        sums.setdefault(period, []).append(float(row[status != 0].sum()))
    compared = [own for own in sums.values() if len(own) > 1]
    return bool(compared) and all(np.allclose(own, own[0], rtol=_TOLERANCE) for own in compared)


def sources(info: ReleaseInfo) -> list[dict[str, Any]]:
    """Return id, title, publisher, licence with the address of its text, terms, carrier, home page and citation of each source."""
    return [
        {
            "source": source["id"],
            "title": by_language(source["title"], info),
            "publisher": by_language(source["publisher"], info),
            "licence": source["licence"],
            "licence_url": licence_url(source["licence"]),
            "rights": by_language(source.get("rights") or "", info),
            "carrier": (source.get("carrier") or {}).get("name"),
            "homepage": source["homepage"] if is_web(source.get("homepage")) else None,
            "citation": by_language(source.get("citation") or "", info),
        }
        for source in info.sources
    ]


def by_language(text: Any, info: ReleaseInfo) -> dict[str, str]:
    """Return a text by language. One without a language is in the first language of the pack."""
    if isinstance(text, Mapping):
        return {str(language): str(own) for language, own in text.items() if own}
    return {info.languages[0]: text} if text else {}


def status_list(languages: Sequence[str]) -> dict[str, Any]:
    """Return name and explanation by language of each status, and whether a value comes with it."""
    return {
        code: {
            "name": code_texts.by_language(code_texts.STATUS_NAMES[code], languages),
            "explanation": code_texts.by_language(code_texts.STATUS_EXPLANATIONS[code], languages),
            "has_value": status.has_value,
        }
        for code, status in STATUSES.items()
    }


def sex_list(languages: Sequence[str]) -> dict[str, Any]:
    return {code: code_texts.by_language(names, languages) for code, names in code_texts.SEX_NAMES.items()}
