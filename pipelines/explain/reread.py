"""Read a snapshot again, as the ingest read it: which of its rows give an observation, what their cells contain, what was corrected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.core import frames
from pipelines.explain.facts import Key
from pipelines.lake.ingest import lookups, reading, text_rows
from pipelines.lake.ingest import rows as ingest
from pipelines.lake.ingest.context import Context
from pipelines.lake.mapping import ValidatedRows, placing
from pipelines.packs import expressions
from pipelines.packs.schema import FetchedSource, MeasureMap, ObservationsMap
from quality.contracts import MASK


@dataclass(frozen=True)
class Correction:
    """A declared correction of one cell of a row."""

    row: int
    column: str
    old: str | None
    new: str
    reason: str


@dataclass(frozen=True)
class RowValue:
    """The value that one row contributes to a cell."""

    row: int
    value: float | None
    status: str
    place: int = -1
    """The position of the row in its file, which tells several rows of one line apart."""


class PartReader:
    """One part of a source, read again with the functions of the ingest."""

    def __init__(self, context: Context, source: FetchedSource, part: str, texts: pl.DataFrame) -> None:
        self.context = context
        self.source = source
        self.part = part
        self._texts = (
            reading.with_variables(context, source, part, texts).with_row_index("__place").with_columns(pl.col("__place").cast(pl.Int64))
        )

    def row_values(self, measures: Collection[str]) -> dict[Key, list[RowValue]]:
        """Return the values of the rows behind each cell of `measures`, before any aggregation."""
        spec = self.source.map
        assert isinstance(spec, ObservationsMap)
        one_by_one = {m: s.model_copy(update={"aggregate": None}) for m, s in spec.measures.items() if m in measures}
        spec = spec.model_copy(update={"measures": one_by_one})
        mapped = ingest.map_rows(self.context, self.source.model_copy(update={"map": spec}), ValidatedRows(self._validated, {}))
        values: dict[Key, list[RowValue]] = {}
        columns = ("measure", "ref_area", "time_period", "sex", "age", "row_number", "obs_value", "obs_status")
        lines = self._texts["__row"]
        for *key, place, value, status in mapped.rows.filter(pl.col("measure").is_not_null()).select(columns).iter_rows():
            values.setdefault(Key(*key), []).append(RowValue(lines[place], value, status, place))
        return values

    @cached_property
    def _validated(self) -> pl.DataFrame:
        """The rows after the contract, with the columns of lookups. `__row` is the position in the file."""
        placed = self._texts.drop("__row").rename({"__place": "__row"})
        corrected, _ = text_rows.apply_corrections(self.context, self.source, placed)
        [kept] = text_rows.without_ignored(self.context, self.source, [corrected])
        return ingest.validate_rows(self.context, self.source, kept).rows

    @cached_property
    def _looked_up(self) -> dict[int, dict[str, Any]]:
        """By position, the cells that lookups took, and their origins."""
        matches = lookups.matches(self.source)
        names = [name for match in matches for name in (*match.columns, match.origin)]
        frame = self._validated[["__row", *names]] if matches else pl.DataFrame({"__row": []})
        return {int(row["__row"]): row for row in frame.iter_rows(named=True)}

    def origins(self, place: int) -> list[tuple[str, str, int]]:
        """Return source, part and row of the rows of other sources that lookups matched with the row at a position."""
        row = self._looked_up.get(place, {})
        origins = [(match.source, row.get(match.origin)) for match in lookups.matches(self.source)]
        return [(source, origin["part"], origin["row"]) for source, origin in origins if origin is not None]

    def cells_of(self, values: Collection[RowValue]) -> set[str | None]:
        """Return which rows of their lines `values` come from."""
        return set(self._texts["__cell"].gather([v.place for v in values]))

    def texts(self, rows: Collection[int], measure: str, values: Collection[RowValue] = ()) -> dict[int, dict[str, str | None]]:
        """Return the cells of the file that determine `measure` in each of `rows`. Personal cells are masked.

        Where a line gives several rows, the cells are those of the rows that `values` come from.
        """
        spec = self.source.map
        assert isinstance(spec, ObservationsMap)
        declared = {name.lower(): (column.from_ or name, column) for name, column in self.source.columns.items()}
        shown: dict[str, pl.Expr] = {}
        for used in columns_of(spec, spec.measures[measure]):
            file_name, column = declared.get(used.lower(), ("", None))
            if column is not None and file_name in self._texts.columns:
                cell = frames.column(file_name)
                shown[file_name] = pl.when(cell.is_not_null()).then(pl.lit(MASK)) if column.personal else cell
        frame = self._texts.filter(pl.col("__row").is_in(list(rows)))
        if values and frame["__row"].is_duplicated().any():
            frame = frame.filter(pl.col("__place").is_in([v.place for v in values]))
        picked = frame.select("__row", "__place", *(e.alias(n) for n, e in shown.items()))
        of_measure = set(columns_of(spec, spec.measures[measure]))
        return {
            int(row["__row"]): {n: row[n] for n in shown} | self._taken_cells(int(row["__place"]), of_measure)
            for row in picked.iter_rows(named=True)
        }

    def _taken_cells(self, place: int, used: Collection[str]) -> dict[str, str | None]:
        """Return those of the `used` cells of a row that lookups took, by column and origin. Personal cells are masked."""
        row = self._looked_up.get(place, {})
        personal = self.context.pack.personal_columns(self.source)
        cells: dict[str, str | None] = {}
        for match in lookups.matches(self.source):
            origin = row.get(match.origin)
            where = f"{match.source} {origin['part']}".rstrip() + f", row {origin['row']}" if origin else f"no match in {match.source}"
            for column in (c for c in match.columns if c in row and c.lower() in {name.lower() for name in used}):
                cell = row[column]
                cells[f"{column} ({where})"] = None if cell is None else MASK if column in personal else str(cell)
        return cells

    def corrections(self, rows: Collection[int]) -> dict[int, list[Correction]]:
        """Return the corrections of each of `rows`, in the order of the declaration. Personal cells are masked."""
        corrections: dict[int, list[Correction]] = {}
        if not self.source.corrections:
            return corrections
        personal = {c.from_ or name for name, c in self.source.columns.items() if c.personal}
        frame = self._texts.filter(pl.col("__row").is_in(list(rows)))
        for correction in self.source.corrections:
            matching = frame.filter(text_rows.rows_matching(self.context, correction.where, frame, "corrections.where"))
            for row in matching.iter_rows(named=True):
                for column, new in correction.set.items():
                    old, now = (MASK, MASK) if column in personal else (row[column], new)
                    corrections.setdefault(int(row["__row"]), []).append(Correction(int(row["__row"]), column, old, now, correction.reason))
            changed = pl.col("__row").is_in(matching["__row"].implode())
            frame = frame.with_columns(
                pl.when(changed).then(pl.lit(v)).otherwise(frames.column(c)).alias(c) for c, v in correction.set.items()
            )
        return corrections


def columns_of(spec: ObservationsMap, measure: MeasureMap) -> list[str]:
    """Return the columns that determine a measure and the key of its cell, those of its value first."""
    texts = [
        measure.value,
        measure.where,
        measure.status,
        placing.area_key(spec.area),
        spec.period,
        spec.sex,
        spec.age,
        spec.status,
        spec.where,
    ]
    return list(dict.fromkeys(c for text in texts if text is not None for c in sorted(expressions.parse(text).columns)))


def combined_value(rows: list[RowValue], aggregate: str | None) -> float | None:
    """Return the value that several rows give a cell, or None where a row of an aggregate has none."""
    values = [row.value for row in rows if row.value is not None]
    if aggregate is None:
        return min(values, default=None)
    if len(values) < len(rows) or not values:
        return None
    if aggregate == "mean":
        return sum(values) / len(values)
    return sum(values) if aggregate == "sum" else min(values) if aggregate == "min" else max(values)


def declaration_of(measure: MeasureMap) -> dict[str, Any]:
    """Return the parts of a measure's declaration that say where its numbers come from."""
    declaration: Mapping[str, Any] = measure.model_dump(exclude_none=True, exclude_defaults=True)
    return {"value": measure.value, **{k: v for k, v in declaration.items() if k != "value"}}
