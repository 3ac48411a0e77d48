"""Map rows to observations: one value of one measure for one area, period, sex and age. Totals and roll-ups are not made here."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.core.sql import identifier
from pipelines.core.vocabulary import SEXES, STATUS_RANK
from pipelines.lake.mapping import BAD_CELLS, REJECTED, Checked, Mapped, placing
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs import expressions
from pipelines.packs.schema import MeasureMap, ObservationsMap

SCHEMA = pl.Schema({
    "source": pl.String, "part": pl.String, "measure": pl.String, "ref_area": pl.String, "time_period": pl.String,
    "sex": pl.String, "age": pl.String, "obs_value": pl.Float64, "obs_status": pl.String, "aggregate": pl.String,
    "by_sex": pl.Boolean, "row_number": pl.Int64, "row_count": pl.Int64, "snapshot": pl.String,
})  # fmt: skip
"""`measure` null: the source has a row for this area and period (its universe). `ref_area` null: a quarantined row of unknown place."""

# SDMX CL_OBS_STATUS to ours, of observations with a value and of those without
WITH_VALUE = {
    "A": "A",
    "B": "B",
    "E": "E",
    "F": "E",
    "S": "E",
    "G": "E",
    "I": "I",
    "P": "P",
    "V": "A",
    "D": "B",
    "U": "P",
    "N": "A",
    "W": "A",
}
WITHOUT = {"M": "M", "H": "M", "J": "M", "K": "M", "O": "M", "L": "O", "Q": "C", "C": "C"}
_AGE = r"^[A-Za-z_][A-Za-z0-9_\-]*$"


@dataclass(frozen=True)
class _Measure:
    name: str
    spec: MeasureMap
    uses: frozenset[str]


def map_rows(source: str, checked: Checked, spec: ObservationsMap, territory: Territory, sandbox: Sandbox) -> Mapped:
    """Return the observations of `checked` rows; a rejected row leaves its place as an observation with status Q."""
    frame = checked.rows.with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    measures = [_Measure(name, m, _uses(m.value, m.where, spec.status)) for name, m in spec.measures.items()]
    values, failures = sandbox.evaluate(frame.drop("__bad", "__rejected", "__part", "__row"), _expressions(spec, measures))
    rows = frame.select("__n", "__row", "__part", "__bad", "__rejected").join(values, on="__n", maintain_order="left")
    rows = _placed(rows, spec, territory, failures)
    selected = pl.col("__where") | (pl.col("__rejected") & pl.col("__where").is_null())
    unselected = rows.filter(~pl.col("__rejected") & ~pl.col("__where").fill_null(False) & pl.col("reason").is_null())
    rejected = rows.filter(~pl.col("__rejected") & pl.col("reason").is_not_null())
    kept = rows.filter(selected.fill_null(False) | pl.col("reason").is_not_null()).with_columns(
        (pl.col("__rejected") | pl.col("reason").is_not_null()).alias("__q")
    )
    kept = kept.filter(~pl.col("__q") | pl.col("period").is_not_null())
    observations, bad_cells = [], []
    for i, measure in enumerate(measures):
        found, bad = _one_measure(kept, i, measure, spec, failures)
        observations.append(_aggregated(found, measure, sandbox) if measure.spec.aggregate else found)
        bad_cells.append(bad)
    presence = (
        kept.filter(pl.col("ref_area").is_not_null())
        .group_by("__part", "ref_area", "period", maintain_order=True)
        .agg(pl.col("__row").min(), pl.len().cast(pl.Int64).alias("row_count"))
        .with_columns(
            measure=pl.lit(None, pl.String),
            sex=pl.lit("_T"),
            age=pl.lit("_T"),
            obs_value=pl.lit(None, pl.Float64),
            obs_status=pl.lit(None, pl.String),
            aggregate=pl.lit(None, pl.String),
        )
    )
    shape = ["measure", "__part", "ref_area", "period", "sex", "age", "obs_value", "obs_status", "aggregate", "__row", "row_count"]
    long = pl.concat([part.select(shape) for part in (*observations, presence)])
    return Mapped(
        rows=_lake(long, source, spec.sex is not None, checked.snapshots),
        rejected=rejected.select("__row", "__part", "reason").cast(REJECTED),
        unselected=unselected.select("__row", "__part"),
        bad_cells=pl.concat(bad_cells).cast(BAD_CELLS) if bad_cells else pl.DataFrame(schema=BAD_CELLS),
    )


def _uses(*texts: str | None) -> frozenset[str]:
    return frozenset(c.lower() for text in texts if text is not None for c in expressions.parse(text).columns)


def _expressions(spec: ObservationsMap, measures: list[_Measure]) -> list[tuple[str, str, str]]:
    wanted = [
        ("__where", "boolean", spec.where if spec.where is not None else "true"),
        ("__area", "varchar", placing.key_of(spec.area)),
        ("__period", "varchar", spec.period),
        ("__sex", "varchar", spec.sex if spec.sex is not None else "'_T'"),
        ("__age", "varchar", spec.age if spec.age is not None else "'_T'"),
        ("__status", "varchar", spec.status if spec.status is not None else "'A'"),
    ]
    for i, measure in enumerate(measures):
        kind = "varchar" if measure.spec.scale is not None else "double"
        where = measure.spec.where
        if where is not None:
            wanted.append((f"w{i}", "boolean", where))
            # the value of a row that `where` does not select is not asked for, so it cannot fail
            wanted.append((f"v{i}", kind, f"case when (\n{where}\n) then (\n{measure.spec.value}\n) end"))
        else:
            wanted.append((f"v{i}", kind, measure.spec.value))
    return wanted


def _placed(rows: pl.DataFrame, spec: ObservationsMap, territory: Territory, failures: pl.DataFrame) -> pl.DataFrame:
    """Add `period`, `ref_area`, `sex`, `age`, `status`, and `reason`: why a selected row cannot be placed."""
    rows = rows.with_columns(placing.periods(pl.col("__period")).alias("period"))
    rows = rows.with_columns(placing.first_day(pl.col("period")).alias("__day"), pl.col("__area").str.strip_chars())
    rows = placing.areas(rows, spec.area, territory)
    names = {"__where": "where", "__area": "area", "__period": "period", "__sex": "sex", "__age": "age", "__status": "status"}
    failed = (
        failures.filter(pl.col("column").is_in(list(names)))
        .with_columns((pl.lit("map.") + pl.col("column").replace(names) + ": " + pl.col("reason")).alias("failure"))
        .group_by("__n")
        .agg(pl.col("failure").str.join("; "))
    )
    rows = rows.join(failed, on="__n", how="left", maintain_order="left")
    status = pl.col("__status").str.strip_chars().fill_null("A").replace({"": "A"})
    reasons = [
        pl.col("failure"),
        pl.when(pl.col("period").is_null()).then(
            pl.format("period {}: not a year, quarter, month or date", pl.col("__period").fill_null("(empty)"))
        ),
        pl.col("area_fault"),
        pl.when(~pl.col("__sex").fill_null("").is_in(list(SEXES))).then(
            pl.format("sex {}: M, F, _U or _T is due", pl.col("__sex").fill_null("(empty)"))
        ),
        pl.when(~pl.col("__age").fill_null("").str.contains(_AGE)).then(
            pl.format("age {}: not an age group", pl.col("__age").fill_null("(empty)"))
        ),
        pl.when(~status.is_in([*WITH_VALUE, *WITHOUT])).then(pl.format("status {}: not an observation status", status)),
    ]
    asked = pl.col("__where").fill_null(False) | pl.col("__rejected") | (pl.col("failure").is_not_null())
    joined = pl.concat_str(list(reasons), separator="; ", ignore_nulls=True)
    return rows.with_columns(
        pl.when(asked & (joined != "")).then(joined).alias("reason"),
        pl.when(pl.col("__sex").is_in(list(SEXES))).then("__sex").otherwise(pl.lit("_T")).alias("sex"),
        pl.when(pl.col("__age").str.contains(_AGE)).then("__age").otherwise(pl.lit("_T")).alias("age"),
        status.alias("status"),
    )


def _one_measure(
    kept: pl.DataFrame, i: int, measure: _Measure, spec: ObservationsMap, failures: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the observations of one measure, one for each row that carries it, and the cells that could not be had."""
    failed = failures.filter(pl.col("column").is_in([f"v{i}", f"w{i}"])).group_by("__n").agg(pl.col("reason").first().alias("cell_reason"))
    touched = (
        pl.col("__bad").list.eval(pl.element().str.to_lowercase()).list.set_intersection(sorted(measure.uses)).list.len().fill_null(0) > 0
    )
    where = pl.col(f"w{i}") if measure.spec.where is not None else pl.lit(True)
    rows = kept.join(failed, on="__n", how="left", maintain_order="left").with_columns(touched.alias("touched"), where.alias("w"))
    # a row that is in quarantine, or whose bad cell decides, may or may not carry the measure: it is taken to carry it
    rows = rows.filter(pl.col("w").fill_null(pl.col("__q") | pl.col("touched") | pl.col("cell_reason").is_not_null()))
    value = pl.col(f"v{i}")
    if measure.spec.scale is not None:
        text = value.str.strip_chars()
        rows = rows.with_columns(
            text.replace_strict(list(measure.spec.scale), list(measure.spec.scale.values()), default=None, return_dtype=pl.Float64).alias(
                "value"
            )
        ).with_columns(
            pl.when(text.is_not_null() & pl.col("value").is_null())
            .then(pl.format("{}: not in the scale", text))
            .otherwise("cell_reason")
            .alias("cell_reason")
        )
    else:
        rows = rows.with_columns(pl.when(value.is_finite()).then(value).alias("value")).with_columns(
            pl.when(value.is_not_null() & ~value.is_finite())
            .then(pl.lit("not a finite number"))
            .otherwise("cell_reason")
            .alias("cell_reason")
        )
    bad = rows.filter(pl.col("cell_reason").is_not_null() & ~pl.col("__q")).select(
        "__row", "__part", pl.lit(measure.name).alias("column"), pl.col("cell_reason").alias("reason")
    )
    quarantined = pl.col("__q") | (pl.col("touched") & pl.col("value").is_null()) | pl.col("cell_reason").is_not_null()
    without = pl.col("status").replace_strict(list(WITHOUT), list(WITHOUT.values()), default=None, return_dtype=pl.String)
    with_value = pl.col("status").replace_strict(list(WITH_VALUE), list(WITH_VALUE.values()), default="A", return_dtype=pl.String)
    rows = rows.with_columns(
        pl.when(without == "C").then(pl.lit("C")).when(quarantined).then(pl.lit("Q")).when(without.is_not_null()).then(without)
        .when(pl.col("value").is_null()).then(pl.lit("M")).otherwise(with_value).alias("obs_status"),
        pl.lit(measure.spec.aggregate, dtype=pl.String).alias("aggregate"),
        pl.lit(measure.name).alias("measure"),
        pl.lit(1, dtype=pl.Int64).alias("row_count"),
    )  # fmt: skip
    rows = rows.with_columns(
        pl.when(pl.col("obs_status").is_in(["Q", *WITHOUT.values()])).then(None).otherwise(pl.col("value")).alias("obs_value")
    )
    return rows, bad


def _aggregated(rows: pl.DataFrame, measure: _Measure, sandbox: Sandbox) -> pl.DataFrame:
    """Aggregate the rows of a cell, part by part. A cell with a row whose value is missing is missing: its sum is not known."""
    columns = ["measure", "__part", "ref_area", "period", "sex", "age", "aggregate"]
    keys = ", ".join(identifier(c) for c in columns)
    worst = "max(case obs_status {} end)".format(" ".join(f"when '{s}' then {rank}" for s, rank in STATUS_RANK.items()))
    sql = f"""
        select {keys}, {worst} as rank, min(__row) as __row, count(*)::bigint as row_count,
               case when count(obs_value) = count(*) then {measure.spec.aggregate}(obs_value) end as obs_value
        from (select * from input order by __n) group by {keys} order by {keys}
    """
    found = sandbox.query(sql, input=rows.select(*columns, "__n", "__row", "obs_value", "obs_status"))
    status = pl.col("rank").replace_strict(list(STATUS_RANK.values()), list(STATUS_RANK), return_dtype=pl.String)
    return found.with_columns(status.alias("obs_status"))


def _lake(long: pl.DataFrame, source: str, by_sex: bool, snapshots: dict[str, str]) -> pl.DataFrame:
    return (
        long.rename({"__part": "part", "period": "time_period", "__row": "row_number"})
        .with_columns(
            pl.lit(source).alias("source"),
            pl.lit(by_sex).alias("by_sex"),
            pl.col("part")
            .replace_strict(list(snapshots), list(snapshots.values()), default=None, return_dtype=pl.String)
            .alias("snapshot"),
        )
        .select(*SCHEMA)
        .cast(SCHEMA)
    )
