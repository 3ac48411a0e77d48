"""Map rows to register entries: who is in a list from when to when. Nothing is counted here."""

from __future__ import annotations

import polars as pl

from pipelines.lake.mapping import BAD_CELLS, REJECTED, Checked, Mapped, placing
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs.schema import RegisterMap

SCHEMA = pl.Schema({  # type: ignore[arg-type]
    "source": pl.String, "part": pl.String, "register": pl.String, "id": pl.String, "ref_area": pl.String, "valid_from": pl.Date,
    "valid_to": pl.Date, "status": pl.String, "amount": pl.Float64, "currency": pl.String,
    "attributes": pl.List(pl.Struct({"attribute": pl.String, "value": pl.String})), "row_number": pl.Int64, "snapshot": pl.String,
})  # fmt: skip
_TYPES = {"valid_from": "date", "valid_to": "date", "amount": "double"}


def map_rows(source: str, checked: Checked, spec: RegisterMap, territory: Territory, sandbox: Sandbox) -> Mapped:
    """Return the entries of the accepted rows. A row without register, identifier or known area is rejected."""
    frame = checked.rows.filter(~pl.col("__rejected")).with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    wanted = [("__where", "boolean", spec.where if spec.where is not None else "true")]
    wanted += [("__area", "varchar", placing.key_of(spec.area)), ("register", "varchar", spec.register_), ("id", "varchar", spec.id)]
    for name in ("valid_from", "valid_to", "status", "amount", "currency"):
        expression = getattr(spec, name)
        wanted.append((name, _TYPES.get(name, "varchar"), expression if expression is not None else "null"))
    wanted += [(f"attribute:{name}", "varchar", e) for name, e in spec.attributes.items()]
    values, failures = sandbox.evaluate(frame.drop("__bad", "__rejected", "__part", "__row"), wanted)
    rows = frame.select("__n", "__row", "__part").join(values, on="__n", maintain_order="left")
    rows = rows.with_columns(pl.col("valid_from").alias("__day"), pl.col("__area").str.strip_chars())
    rows = placing.areas(rows, spec.area, territory)
    failed = failures.group_by("__n").agg(pl.format("map.{}: {}", "column", "reason").str.join("; ").alias("failure"))
    rows = rows.join(failed, on="__n", how="left", maintain_order="left")
    words = [
        pl.col("failure"),
        pl.when(pl.col("register").is_null()).then(pl.lit("the entry names no register")),
        pl.when(pl.col("id").is_null()).then(pl.lit("the entry has no identifier")),
        pl.when(pl.col("valid_to") <= pl.col("valid_from")).then(pl.lit("valid_to is not after valid_from")),
        pl.col("area_fault"),
    ]
    joined = pl.concat_str(words, separator="; ", ignore_nulls=True)
    selected = pl.col("__where").fill_null(False)
    rows = rows.with_columns(pl.when((selected | pl.col("failure").is_not_null()) & (joined != "")).then(joined).alias("reason"))
    structs = [pl.struct(pl.lit(n).alias("attribute"), pl.col(f"attribute:{n}").alias("value")) for n in spec.attributes]
    sha = list(checked.snapshots), list(checked.snapshots.values())
    good = rows.filter(selected & pl.col("reason").is_null()).with_columns(
        pl.lit(source).alias("source"),
        (pl.concat_list(structs) if structs else pl.lit([], dtype=SCHEMA["attributes"])).alias("attributes"),
        pl.col("__part").replace_strict(*sha, default=None, return_dtype=pl.String).alias("snapshot"),
    )
    return Mapped(
        rows=good.rename({"__part": "part", "__row": "row_number"}).select(*SCHEMA).cast(SCHEMA),
        rejected=rows.filter(pl.col("reason").is_not_null()).select("__row", "__part", "reason").cast(REJECTED),
        unselected=rows.filter(~selected & pl.col("reason").is_null()).select("__row", "__part"),
        bad_cells=pl.DataFrame(schema=BAD_CELLS),
    )
