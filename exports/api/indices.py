"""The scores of indices: the file of an index with all its areas, and what the files of places say about their areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.api import optional
from exports.api.cells import by_time
from exports.api.describe import Texts, rows
from exports.api.encode import Ints, numbers, rounded, significant, statuses
from exports.api.territory import LevelRange, Territory

TABLES = ("sustainability", "community")
RANKS = ("rank", "rank_low", "rank_high")
COUNTS = ("fifth", "n_available", "n_expected")
ENDS = ("low", "high")
"""The ends of the interval of a rank: the best and the worst one by other ways of computing the index."""
SCORE_DECIMALS = 1
FIFTHS = 5


@dataclass(frozen=True)
class Scores:
    """The scores of a component or of the index itself. Arrays have a row per period and a column per area of the level."""

    component: str
    numbers: Mapping[str, Any] = field(repr=False)
    status: Any = field(repr=False)
    inputs: Mapping[str, list[list[str | None]]] = field(repr=False)


@dataclass(frozen=True)
class Index:
    """An index: its row of the table `indices`, its level, its periods and its scores, the index itself first."""

    id: str
    about: Mapping[str, Any]
    level: LevelRange
    periods: Sequence[str]
    scores: Sequence[Scores]
    parts: pl.DataFrame = field(repr=False)

    @property
    def is_rankable(self) -> bool:
        return self.about.get("rankable") == "true"


def read(parquet: Path, territory: Territory) -> list[Index]:
    """Return the indices that have scores."""
    about = {row["index"]: row for row in rows(parquet, "indices")}
    frames = [pl.read_parquet(path) for name in TABLES if (path := optional.path(parquet, name)) is not None]
    indices = []
    path = optional.path(parquet, "index_components")
    parts = pl.read_parquet(path) if path is not None else None
    for frame in frames:
        for (name,), own in sorted(frame.partition_by("index", as_dict=True).items()):
            level = territory.level(own["level"][0])
            if level is not None and parts is not None:
                indices.append(_index(str(name), own, about.get(str(name), {}), level, parts.filter(pl.col("index") == name), territory))
    return indices


def _index(name: str, frame: pl.DataFrame, about: Mapping[str, Any], level: LevelRange, parts: pl.DataFrame, territory: Territory) -> Index:
    periods = by_time(set(frame["time_period"].unique().to_list()))
    place = {period: number for number, period in enumerate(periods)}
    frame = frame.with_columns(
        (pl.col("ref_area").replace_strict(territory.numbers, default=None, return_dtype=pl.Int64) - level.first).alias("column"),
        pl.col("time_period").replace_strict(place, return_dtype=pl.Int64).alias("row"),
    ).filter(pl.col("column").is_between(0, level.count - 1))
    groups = {str(component): own for (component,), own in frame.partition_by("component", as_dict=True).items()}
    ordered = sorted(groups, key=lambda component: (component != name, component))
    return Index(name, about, level, periods, [_scores(c, groups[c], (len(periods), level.count)) for c in ordered], parts)


def _scores(component: str, frame: pl.DataFrame, shape: tuple[int, int]) -> Scores:
    at = (frame["row"].to_numpy(), frame["column"].to_numpy())
    columns = {}
    for name in ("score", *COUNTS, *RANKS, "peer_percentile"):
        columns[name] = np.full(shape, np.nan)
        columns[name][at] = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    ranked = np.maximum(np.isfinite(columns["rank"]).sum(axis=1, keepdims=True), 1)
    for end in ENDS:
        columns[f"fifth_{end}"] = np.ceil(FIFTHS * columns[f"rank_{end}"] / ranked)
    status = np.zeros(shape, dtype=np.uint8)
    status[at] = np.frombuffer("".join(frame["obs_status"].to_list()).encode("ascii"), dtype=np.uint8)
    inputs: dict[str, list[list[str | None]]] = {}
    for name in ("oldest_input", "newest_input"):
        texts: list[list[str | None]] = [[None] * shape[1] for _ in range(shape[0])]
        for row, column, text in frame.select("row", "column", name).iter_rows():
            texts[row][column] = text
        inputs[name] = texts
    return Scores(component, columns, status, inputs)


def describe(index: Index, texts: Texts) -> dict[str, Any]:
    """Return what `index.json` and the file of an index say about it."""
    return {
        "index": index.id,
        "title": texts.of(index.about, "title"),
        "note": texts.of(index.about, "note"),
        "objective": index.about.get("objective"),
        "level": index.level.id,
        "rankable": index.is_rankable,
        "periods": index.periods,
        "components": [scores.component for scores in index.scores if scores.component != index.id],
    }


def document(index: Index, texts: Texts, territory: Territory) -> dict[str, Any]:
    """Return `indices/<id>.json`: the scores of all areas and periods, and the values of indicators that they are made from."""
    return {
        "about": describe(index, texts),
        "first": index.level.first,
        "count": index.level.count,
        "scores": [
            {"component": s.component, **_columns(index, s, slice(None), slice(None)), **s.inputs} for s in index.scores
        ],
        "inputs": [_inputs(own, index, territory) for own in _by_indicator(index.parts)],
    }  # fmt: skip


def of_bundle(index: Index, areas: Ints) -> dict[str, Any]:
    """Return the newest scores of the areas of a bundle, of the level of the index."""
    columns, newest = areas - index.level.first, len(index.periods) - 1
    return {
        "index": index.id,
        "period": index.periods[newest],
        "scores": [{"component": s.component, **_columns(index, s, newest, columns)} for s in index.scores],
    }


def _columns(index: Index, scores: Scores, rows_: Any, columns: Any) -> dict[str, Any]:
    """Return the columns of scores. Ranks only if readers see them."""

    def part(name: str) -> Any:
        return scores.numbers[name][rows_][..., columns]

    shown: dict[str, Any] = {"score": numbers(rounded(part("score"), SCORE_DECIMALS))}
    shown |= {name: numbers(part(name)) for name in (*COUNTS, *(RANKS if index.is_rankable else ()))}
    shown |= {f"fifth_{end}": numbers(part(f"fifth_{end}")) for end in ENDS}
    shown["peer_percentile"] = numbers(rounded(part("peer_percentile"), SCORE_DECIMALS))
    shown["status"] = statuses(scores.status[rows_][..., columns])
    return shown


def _by_indicator(parts: pl.DataFrame) -> list[pl.DataFrame]:
    newest = parts.sort("component", "indicator", "ref_area", "time_period")
    return [own for _, own in newest.partition_by("component", "indicator", as_dict=True, maintain_order=True).items()]


def _inputs(frame: pl.DataFrame, index: Index, territory: Territory) -> dict[str, Any]:
    """Return the newest input of each area from one indicator."""
    columns = {name: np.full(index.level.count, np.nan) for name in ("raw", "normalised")}
    periods: list[str | None] = [None] * index.level.count
    status = np.zeros(index.level.count, dtype=np.uint8)
    imputed: list[int] = []
    for code, period, raw, normalised, is_imputed, letter in frame.select(
        "ref_area", "time_period", "raw", "normalised", "imputed", "obs_status"
    ).iter_rows():
        area = territory.numbers.get(code)
        if area is None or not index.level.first <= area < index.level.stop:
            continue
        place = area - index.level.first
        columns["raw"][place] = np.nan if raw is None else raw
        columns["normalised"][place] = np.nan if normalised is None else normalised
        periods[place], status[place] = period, ord(letter)
        if is_imputed == "true":
            imputed.append(place)
    return {
        "component": frame["component"][0],
        "indicator": frame["indicator"][0],
        "weight": frame["weight"].drop_nulls().first(),
        "period": periods,
        "raw": numbers(significant(columns["raw"])),
        "normalised": numbers(rounded(columns["normalised"], SCORE_DECIMALS)),
        "status": statuses(status),
        "imputed": imputed,
    }
