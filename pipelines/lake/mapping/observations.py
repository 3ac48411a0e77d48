"""Map rows to observations: one value of one measure for one area, period, sex and age. Computes no totals and no roll-ups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines.core.sql import identifier, literal
from pipelines.core.vocabulary import SEXES, STATUS_RANK, TOTAL
from pipelines.lake import sandbox_database
from pipelines.lake.mapping import (
    BAD_CELLS,
    MEASURE_CELLS,
    REJECTED,
    MappedRows,
    ValidatedRows,
    canonical_rows,
    cells_only,
    numbered,
    placing,
)
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs import expressions
from pipelines.packs.schema import MeasureMap, Note, ObservationsMap

SCHEMA = pl.Schema({
    "source": pl.String, "part": pl.String, "measure": pl.String, "ref_area": pl.String, "time_period": pl.String,
    "sex": pl.String, "age": pl.String, "obs_value": pl.Float64, "obs_status": pl.String, "aggregate": pl.String,
    "by_sex": pl.Boolean, "row_number": pl.Int64, "row_count": pl.Int64, "snapshot": pl.String, "note": pl.String,
})  # fmt: skip
"""Where `measure` is null, the source has a row for this area and period (its universe). Where `ref_area` is null, the row is in quarantine
and its area is unknown."""

# the codes of SDMX's CL_OBS_STATUS to ours, for observations with a value and for those without
WITH_VALUE = {
    "A": "A", "B": "B", "E": "E", "F": "E", "S": "E", "G": "E", "I": "I", "P": "P", "V": "A", "D": "B", "U": "P", "N": "A", "W": "A",
}  # fmt: skip
WITHOUT_VALUE = {"M": "M", "H": "M", "J": "M", "K": "M", "O": "M", "L": "O", "Q": "C", "C": "C"}
# the flags of Eurostat and what they are in CL_OBS_STATUS, the one that matters most first; of a combination such as `bp` it is the first
_EUROSTAT_FLAGS = {"C": "C", "Z": "M", "B": "B", "D": "D", "E": "E", "F": "F", "S": "S", "P": "P", "U": "U", "N": "N", "R": "A"}
PERIODS = {"month": r"^[0-9]{4}-[0-9]{2}$", "quarter": r"^[0-9]{4}-Q[1-4]$"}
AGGREGATES = {"sum": "sum", "mean": "avg", "min": "min", "max": "max"}
"""The functions of SQL by the names of the pack format."""
_AGE = r"^[A-Za-z_][A-Za-z0-9_\-]*$"
_COLUMNS = ["measure", "__part", "ref_area", "period", "sex", "age", "obs_value", "obs_status", "aggregate", "__row", "row_count", "note"]


@dataclass(frozen=True)
class _Measure:
    """A declared measure, its position, and the columns (lower case) that its observations depend on."""

    name: str
    position: int
    spec: MeasureMap
    uses: frozenset[str]
    is_weight: bool
    note: pl.Expr


def map_rows(
    source: str,
    validated: ValidatedRows,
    spec: ObservationsMap,
    territory: Territory,
    sandbox: Sandbox,
    *,
    weights: Collection[str],
    eurostat_flags: bool,
    notes: Mapping[str, Note],
) -> MappedRows:
    """Return the observations of validated rows. A rejected row leaves an observation with status Q in its place.

    The values of the measures `weights` may not be negative: a mean with such weights can lie outside of its values.
    `notes` are the notes on values by their identifiers, the first ones first.
    With `eurostat_flags`, the statuses of the source are the flags of Eurostat. Letters of other offices mean something else.
    """
    frame = numbered(validated.rows)
    measures = [
        _Measure(name, i, m, _uses(m.value, m.where, m.status, spec.status), name in weights, _note(name, notes))
        for i, (name, m) in enumerate(spec.measures.items())
    ]
    values, failures = sandbox.evaluate(cells_only(frame), [*_expressions(spec, measures), *_conditions(notes)])
    rows = frame.select("__n", "__row", "__cell", "__part", "__bad", "__rejected").join(values, on="__n", maintain_order="left")
    rows = _with_reasons(_placed(rows, spec, territory), failures, eurostat_flags)
    selected = pl.col("__where") | (pl.col("__rejected") & pl.col("__where").is_null())
    unselected = rows.filter(~pl.col("__rejected") & ~pl.col("__where").fill_null(False) & pl.col("reason").is_null())
    rejected = rows.filter(~pl.col("__rejected") & pl.col("reason").is_not_null())
    kept = rows.filter(selected.fill_null(False) | pl.col("reason").is_not_null()).with_columns(
        (pl.col("__rejected") | pl.col("reason").is_not_null()).alias("__q")
    )
    kept = kept.filter(~pl.col("__q") | pl.col("period").is_not_null())
    parts, bad_cells, cells = [], [], []
    for measure in measures:
        observations, bad = _observations(kept, measure, failures, eurostat_flags)
        parts.append(_aggregated(observations, measure) if measure.spec.aggregate else observations)
        bad_cells.append(bad)
        cells.append(_counted(observations))
    parts.append(_presence(kept))
    long = pl.concat([part.select(_COLUMNS) for part in parts]).with_columns(pl.lit(spec.sex is not None).alias("by_sex"))
    return MappedRows(
        rows=canonical_rows(source, long.rename({"period": "time_period"}), validated.snapshots, SCHEMA),
        rejected=rejected.select(*REJECTED).cast(REJECTED),
        unselected=unselected.select("__row", "__cell", "__part"),
        bad_cells=pl.concat(bad_cells).cast(BAD_CELLS) if bad_cells else pl.DataFrame(schema=BAD_CELLS),
        measure_cells=pl.concat(cells) if cells else pl.DataFrame(schema=MEASURE_CELLS),
    )


def _conditions(notes: Mapping[str, Note]) -> list[tuple[str, str, str]]:
    """Return the conditions of notes as columns to evaluate."""
    return [(f"__note_{name}", "boolean", note.where) for name, note in notes.items() if note.where is not None]


def _note(measure: str, notes: Mapping[str, Note]) -> pl.Expr:
    """Return the first note that a row has on a measure; null without any."""
    candidates = [
        pl.when(pl.col(f"__note_{name}") if note.where is not None else pl.lit(True)).then(pl.lit(name))
        for name, note in notes.items()
        if measure in note.measures and note.areas is None
    ]
    return pl.coalesce(*candidates, pl.lit(None, pl.String))


def _uses(*texts: str | None) -> frozenset[str]:
    return frozenset(c.lower() for text in texts if text is not None for c in expressions.parse(text).columns)


def _expressions(spec: ObservationsMap, measures: list[_Measure]) -> list[tuple[str, str, str]]:
    columns = [
        ("__where", "boolean", spec.where if spec.where is not None else "true"),
        ("__area", "varchar", placing.area_key(spec.area)),
        ("__period", "varchar", spec.period),
        ("__sex", "varchar", spec.sex if spec.sex is not None else "'_T'"),
        ("__age", "varchar", spec.age if spec.age is not None else "'_T'"),
        ("__status", "varchar", spec.status if spec.status is not None else "'A'"),
    ]
    for measure in measures:
        i, value, where = measure.position, measure.spec.value, measure.spec.where
        if where is not None:
            columns.append((f"w{i}", "boolean", where))
            # the value of a row that `where` does not select is not evaluated, so it cannot fail
            value = f"case when (\n{where}\n) then (\n{value}\n) end"
        if measure.spec.status is not None:
            columns.append((f"s{i}", "varchar", measure.spec.status))
        columns.append((f"v{i}", "varchar" if measure.spec.scale is not None else "double", value))
    return columns


def _placed(rows: pl.DataFrame, spec: ObservationsMap, territory: Territory) -> pl.DataFrame:
    """Add `period`, `ref_area` and `area_fault`."""
    rows = rows.with_columns(placing.canonical_period(pl.col("__period")).alias("period"))
    rows = rows.with_columns(placing.first_day(pl.col("period")).alias("__day"), pl.col("__area").str.strip_chars())
    return placing.place_in_areas(rows, spec.area, territory)


def _with_reasons(rows: pl.DataFrame, failures: pl.DataFrame, eurostat_flags: bool) -> pl.DataFrame:
    """Add `sex`, `age`, `status`, and `reason`: why a selected row cannot become an observation."""
    names = {"__where": "where", "__area": "area", "__period": "period", "__sex": "sex", "__age": "age", "__status": "status"}
    per_row = (
        failures.filter(pl.col("column").is_in(list(names)))
        .with_columns((pl.lit("map.") + pl.col("column").replace(names) + ": " + pl.col("reason")).alias("failure"))
        .group_by("__n")
        .agg(pl.col("failure").str.join("; "))
    )
    rows = rows.join(per_row, on="__n", how="left", maintain_order="left")
    is_sex = pl.col("__sex").fill_null("").is_in(list(SEXES))
    is_age = pl.col("__age").fill_null("").str.contains(_AGE)
    status = _status_code(rows, "__status", eurostat_flags).fill_null("A")
    reasons = [
        pl.col("failure"),
        pl.when(pl.col("period").is_null()).then(
            pl.format("period {}: not a year, quarter, month or date", pl.col("__period").fill_null("(empty)"))
        ),
        pl.col("area_fault"),
        pl.when(~is_sex).then(pl.format("sex {}: expected M, F, _U or _T", pl.col("__sex").fill_null("(empty)"))),
        pl.when(~is_age).then(pl.format("age {}: not an age group", pl.col("__age").fill_null("(empty)"))),
        pl.when(~status.is_in([*WITH_VALUE, *WITHOUT_VALUE])).then(pl.format("status {}: not an observation status", status)),
    ]
    is_checked = pl.col("__where").fill_null(False) | pl.col("__rejected") | (pl.col("failure").is_not_null())
    joined = pl.concat_str(list(reasons), separator="; ", ignore_nulls=True)
    return rows.with_columns(
        pl.when(is_checked & (joined != "")).then(joined).alias("reason"),
        pl.when(is_sex).then("__sex").otherwise(pl.lit("_T")).alias("sex"),
        pl.when(is_age).then("__age").otherwise(pl.lit("_T")).alias("age"),
        status.alias("status"),
    )


def _status_code(rows: pl.DataFrame, column: str, eurostat_flags: bool) -> pl.Expr:
    """Return the status that a column of `rows` gives; null where it is empty."""
    text = pl.col(column).str.strip_chars().str.to_uppercase()
    status: pl.Expr = pl.when(text != "").then(text).otherwise(None)
    if not eurostat_flags:
        return status
    return status.replace(
        {flags: code for flags in rows.select(status).to_series().unique() if flags and (code := _status_of_flags(flags))}
    )


def _status_of_flags(flags: str) -> str | None:
    """Return the status that the flags of Eurostat stand for, or None where they are a status already, or something else."""
    if flags in WITH_VALUE or flags in WITHOUT_VALUE or not flags or not set(flags) <= set(_EUROSTAT_FLAGS):
        return None
    return next(code for flag, code in _EUROSTAT_FLAGS.items() if flag in flags)


def _observations(kept: pl.DataFrame, measure: _Measure, failures: pl.DataFrame, eurostat_flags: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the observations of one measure, one for each row that carries it, and the cells that could not be computed."""
    value, where, own_status = (f"{kind}{measure.position}" for kind in "vws")
    failed = (
        failures.filter(pl.col("column").is_in([value, where, own_status]))
        .group_by("__n")
        .agg(pl.col("reason").first().alias("cell_reason"))
    )
    bad_columns = pl.col("__bad").list.eval(pl.element().str.to_lowercase())
    uses_bad_cell = bad_columns.list.set_intersection(sorted(measure.uses)).list.len().fill_null(0) > 0
    is_selected = pl.col(where) if measure.spec.where is not None else pl.lit(True)
    rows = kept.join(failed, on="__n", how="left", maintain_order="left").with_columns(
        uses_bad_cell.alias("uses_bad_cell"), is_selected.alias("is_selected")
    )
    # a row that is in quarantine, or whose bad cell decides, may or may not carry the measure; it is assumed to carry it
    rows = rows.filter(pl.col("is_selected").fill_null(pl.col("__q") | pl.col("uses_bad_cell") | pl.col("cell_reason").is_not_null()))
    rows = _with_value(rows, pl.col(value), measure.spec.scale)
    if measure.spec.status is not None:
        status = pl.coalesce(_status_code(rows, own_status, eurostat_flags), "status")
        rows = rows.with_columns(status.alias("status"))
        wrong = pl.when(~pl.col("status").is_in([*WITH_VALUE, *WITHOUT_VALUE])).then(
            pl.format("status {}: not an observation status", "status")
        )
        rows = rows.with_columns(pl.coalesce("cell_reason", wrong).alias("cell_reason"))
    if measure.is_weight:
        is_negative = pl.col("value") < 0
        reason = pl.when(is_negative).then(pl.format("{}: a weight cannot be negative", "value")).otherwise("cell_reason")
        rows = rows.with_columns(reason.alias("cell_reason"), pl.when(~is_negative).then("value").alias("value"))
    if measure.spec.periods is not None:
        is_finer = pl.col("period").str.contains(PERIODS[measure.spec.periods.from_]).fill_null(True)
        reason = pl.when(~is_finer).then(pl.format(f"period {{}}: expected a {measure.spec.periods.from_}", "period"))
        rows = rows.with_columns(reason.otherwise("cell_reason").alias("cell_reason"), pl.when(is_finer).then("value").alias("value"))
    bad = rows.filter(pl.col("cell_reason").is_not_null() & ~pl.col("__q")).select(
        "__row", "__cell", "__part", pl.lit(measure.name).alias("column"), pl.col("cell_reason").alias("reason")
    )
    rows = rows.with_columns(
        _status().alias("obs_status"),
        pl.lit(measure.spec.aggregate_of_rows, dtype=pl.String).alias("aggregate"),
        pl.lit(measure.name).alias("measure"),
        pl.lit(1, dtype=pl.Int64).alias("row_count"),
        measure.note.alias("note"),
    )
    without_value = pl.col("obs_status").is_in(["Q", *WITHOUT_VALUE.values()])
    return rows.with_columns(pl.when(without_value).then(None).otherwise(pl.col("value")).alias("obs_value")), bad


def _counted(observations: pl.DataFrame) -> pl.DataFrame:
    """Return how many accepted rows carry the measure, in how many its value is refused, and how many have one, by part."""
    accepted = observations.filter(~pl.col("__q")).group_by("__part", "measure", maintain_order=True)
    refused, filled = pl.col("obs_status") == "Q", pl.col("obs_value").is_not_null()
    return accepted.agg(pl.len().alias("cells"), refused.sum().alias("refused"), filled.sum().alias("filled")).cast(MEASURE_CELLS)


def _with_value(rows: pl.DataFrame, raw: pl.Expr, scale: Mapping[str, float] | None) -> pl.DataFrame:
    """Add `value`, the number of the raw value, and complete `cell_reason` where it has none."""
    if scale is None:
        is_number = raw.is_finite()
        rows = rows.with_columns(pl.when(is_number).then(raw).alias("value"))
        reason = pl.when(raw.is_not_null() & ~is_number).then(pl.lit("not a finite number"))
    else:
        text = raw.str.strip_chars()
        number = text.replace_strict(list(scale), list(scale.values()), default=None, return_dtype=pl.Float64)
        rows = rows.with_columns(number.alias("value"))
        reason = pl.when(text.is_not_null() & pl.col("value").is_null()).then(pl.format("{}: not in the scale", text))
    return rows.with_columns(reason.otherwise("cell_reason").alias("cell_reason"))


def _status() -> pl.Expr:
    """Return the status of an observation, from its `status`, its `value` and whether its row or a cell of it is in quarantine."""
    quarantined = pl.col("__q") | (pl.col("uses_bad_cell") & pl.col("value").is_null()) | pl.col("cell_reason").is_not_null()
    without_value = pl.col("status").replace_strict(list(WITHOUT_VALUE), list(WITHOUT_VALUE.values()), default=None, return_dtype=pl.String)
    with_value = pl.col("status").replace_strict(list(WITH_VALUE), list(WITH_VALUE.values()), default="A", return_dtype=pl.String)
    return (
        pl.when(without_value == "C").then(pl.lit("C"))
        .when(quarantined).then(pl.lit("Q"))
        .when(without_value.is_not_null()).then(without_value)
        .when(pl.col("value").is_null()).then(pl.lit("M"))
        .otherwise(with_value)
    )  # fmt: skip


def _aggregated(rows: pl.DataFrame, measure: _Measure) -> pl.DataFrame:
    """Aggregate the rows of a cell, part by part. A cell with a row whose value is missing is missing, because its sum is unknown.

    No text of a pack is part of the SQL, so it runs in this process. One thread adds the values in the order of the rows. Raises ExpressionError
    where the rows need more memory than the sandbox has, or a result is too large for a number.
    """
    columns = ["measure", "__part", "ref_area", "period", "sex", "age", "aggregate"]
    keys = ", ".join(identifier(c) for c in columns)
    ranks = " ".join(f"when {literal(status)} then {rank}" for status, rank in STATUS_RANK.items())
    sql = f"""
        select {keys}, max(case obs_status {ranks} end) as rank, min(__row) as __row, count(*)::bigint as row_count, min(note) as note,
               case when count(obs_value) = count(*) then {AGGREGATES[measure.spec.aggregate_of_rows or "sum"]}(obs_value) end as obs_value
        from (select * from input order by __n) group by {keys} order by {keys}
    """
    given = rows.select(*columns, "__n", "__row", "obs_value", "obs_status", "note")
    with duckdb.connect(
        config={"threads": "1", "enable_external_access": "false", "memory_limit": sandbox_database.MEMORY, "temp_directory": ""}
    ) as connection:
        connection.register("input", given.to_arrow())
        try:
            cells = pl.DataFrame(pl.from_arrow(connection.execute(sql).to_arrow_table()))
        except duckdb.OutOfMemoryException:
            raise expressions.ExpressionError(f"map.measures.{measure.name}: its rows need more than {sandbox_database.MEMORY}") from None
    if cells["obs_value"].is_infinite().any():
        raise expressions.ExpressionError(f"map.measures.{measure.name}: the rows of a cell have a sum that is too large for a number")
    status = pl.col("rank").replace_strict(list(STATUS_RANK.values()), list(STATUS_RANK), return_dtype=pl.String)
    return cells.with_columns(status.alias("obs_status"))


def _presence(kept: pl.DataFrame) -> pl.DataFrame:
    """Return a row without a measure for each area and period that the source has rows of."""
    places = kept.filter(pl.col("ref_area").is_not_null()).group_by("__part", "ref_area", "period", maintain_order=True)
    return places.agg(pl.col("__row").min(), pl.len().cast(pl.Int64).alias("row_count")).with_columns(
        measure=pl.lit(None, pl.String),
        sex=pl.lit(TOTAL),
        age=pl.lit("_T"),
        obs_value=pl.lit(None, pl.Float64),
        obs_status=pl.lit(None, pl.String),
        aggregate=pl.lit(None, pl.String),
        note=pl.lit(None, pl.String),
    )
