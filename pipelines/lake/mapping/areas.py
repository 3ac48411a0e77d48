"""Map rows to areas: one row may declare several. Merging the areas of several sources is the territory's business."""

from __future__ import annotations

import polars as pl

from pipelines.lake.mapping import BAD_CELLS, REJECTED, Checked, Mapped
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import ROW_SCHEMA
from pipelines.packs.schema import AreaMap, AreasMap

_DATES = ("valid_from", "valid_to")
_NUMBERS = ("lat", "lon", "area_km2")
_TEXTS = ("ref_area", "level", "name", "country")
_COUNTRY = "^[A-Z]{2}$"  # ISO 3166-1 alpha-2


def map_rows(source: str, checked: Checked, spec: AreasMap, levels: list[str], sandbox: Sandbox) -> Mapped:
    """Return the areas of the accepted rows. A row without an identifier or with an unknown level is rejected."""
    frame = checked.rows.filter(~pl.col("__rejected")).with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    data = frame.drop("__bad", "__rejected", "__part", "__row")
    base = frame.select("__n", "__row", "__part")
    where, where_failures = sandbox.evaluate(data, [("__where", "boolean", spec.where if spec.where is not None else "true")])
    base = base.join(where, on="__n", maintain_order="left")
    areas, failures = [], [where_failures]
    for i, area in enumerate(spec.area):
        values, failed = sandbox.evaluate(data, _expressions(area))
        failures.append(failed)
        areas.append(_one_area(base.join(values, on="__n", maintain_order="left"), area, i))
    found = pl.concat(areas).filter(pl.col("__where").fill_null(False))
    wrong_level = ~pl.col("level").fill_null("").is_in(levels)
    reasons = pl.concat(
        [
            pl.concat(failures).select("__n", pl.format("map.area.{}: {}", "column", "reason").alias("reason")),
            found.filter(pl.col("ref_area").is_null()).select("__n", pl.lit("the area has no identifier").alias("reason")),
            found.filter(~pl.col("country").str.contains(_COUNTRY)).select(
                "__n", pl.format("country {}: two capital letters are due", "country").alias("reason")
            ),
            found.filter(wrong_level).select(
                "__n", pl.format("level {}: no such level", pl.col("level").fill_null("(empty)")).alias("reason")
            ),
        ]
    )
    per_row = reasons.unique(maintain_order=True).group_by("__n", maintain_order=True).agg(pl.col("reason").str.join("; "))
    rejected = base.join(per_row, on="__n")
    good = found.join(per_row, on="__n", how="anti", maintain_order="left")
    rows = good.with_columns(
        pl.lit(source).alias("source"),
        pl.col("__part")
        .replace_strict(list(checked.snapshots), list(checked.snapshots.values()), default=None, return_dtype=pl.String)
        .alias("snapshot"),
    ).rename({"__part": "part", "__row": "row_number"})
    return Mapped(
        rows=rows.sort("__n", "__i").select(*ROW_SCHEMA).cast(ROW_SCHEMA),
        rejected=rejected.select("__row", "__part", "reason").cast(REJECTED),
        unselected=base.filter(~pl.col("__where").fill_null(False)).join(per_row, on="__n", how="anti").select("__row", "__part"),
        bad_cells=pl.DataFrame(schema=BAD_CELLS),
    )


def _expressions(area: AreaMap) -> list[tuple[str, str, str]]:
    wanted = [(name, "varchar", e) for name in _TEXTS if (e := getattr(area, name)) is not None]
    wanted += [(name, "double", e) for name in _NUMBERS if (e := getattr(area, name)) is not None]
    wanted += [(name, "date", e) for name in _DATES if (e := getattr(area, name)) is not None]
    for prefix, expressions in (("code", area.codes), ("parent", area.parents), ("attribute", area.attributes)):
        wanted += [(f"{prefix}:{name}", "varchar", e) for name, e in expressions.items()]
    return wanted


def _one_area(rows: pl.DataFrame, area: AreaMap, position: int) -> pl.DataFrame:
    missing = [
        *(pl.lit(None, pl.String).alias(c) for c in _TEXTS if c not in rows.columns),
        *(pl.lit(None, pl.Float64).alias(c) for c in _NUMBERS if c not in rows.columns),
        *(pl.lit(None, pl.Date).alias(c) for c in _DATES if c not in rows.columns),
    ]

    def pairs(prefix: str, names: dict[str, str], label: str, value: str) -> pl.Expr:
        structs = [pl.struct(pl.lit(n).alias(label), _stripped(f"{prefix}:{n}").alias(value)) for n in names]
        return pl.concat_list(structs) if structs else pl.lit([], dtype=pl.List(pl.Struct({label: pl.String, value: pl.String})))

    return rows.with_columns(*missing).with_columns(*(_stripped(c) for c in _TEXTS)).select(
        "__n", "__row", "__part", "__where", pl.lit(position).alias("__i"), *_TEXTS, *_NUMBERS, *_DATES,
        pairs("code", area.codes, "scheme", "code").alias("codes"),
        pairs("parent", area.parents, "level", "parent").alias("parents"),
        pairs("attribute", area.attributes, "attribute", "value").alias("attributes"),
    )  # fmt: skip


def _stripped(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text).alias(column)
