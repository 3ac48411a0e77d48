"""Map rows to changes of areas: which area passes what share of itself to which other one, on which day. Restates no series."""

from __future__ import annotations

import polars as pl

from pipelines.lake.mapping import BAD_CELLS, REJECTED, Checked, Mapped
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import CHANGE, Territory
from pipelines.packs.schema import AreaChangesMap

_TYPES = {"from_area": "varchar", "to_area": "varchar", "changed_on": "date", "share": "double"}


def map_rows(source: str, checked: Checked, spec: AreaChangesMap, territory: Territory, sandbox: Sandbox) -> Mapped:
    """Return the changes of the accepted rows. A row without a day, with a share outside 0 to 1, or to an unknown area is rejected."""
    frame = checked.rows.filter(~pl.col("__rejected")).with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    expressions = {"from_area": spec.from_, "to_area": spec.to, "changed_on": spec.on, "share": spec.share}
    wanted = [("__where", "boolean", spec.where if spec.where is not None else "true")]
    wanted += [(name, _TYPES[name], e if e is not None else "null") for name, e in expressions.items()]
    values, failures = sandbox.evaluate(frame.drop("__bad", "__rejected", "__part", "__row"), wanted)
    rows = frame.select("__n", "__row", "__part", "__bad").join(values, on="__n", maintain_order="left")
    failed = failures.group_by("__n").agg(pl.format("map.{}: {}", "column", "reason").str.join("; ").alias("failure"))
    rows = rows.with_columns(pl.col("from_area", "to_area").str.strip_chars()).join(failed, on="__n", how="left", maintain_order="left")
    known = territory.areas["ref_area"].implode()
    words = [
        pl.col("failure"),
        # a share that could not be read is no share that was not given
        pl.when(pl.col("__bad").list.len() > 0).then(pl.format("{} cannot be read", pl.col("__bad").list.join(", "))),
        pl.when(pl.col("from_area").fill_null("") == "").then(pl.lit("the area that changes is not named")),
        pl.when(pl.col("to_area").is_null() | ~pl.col("to_area").is_in(known)).then(
            pl.format("area {}: unknown", pl.col("to_area").fill_null(""))
        ),
        pl.when(pl.col("changed_on").is_null()).then(pl.lit("the change has no day")),
        pl.when(~pl.col("share").is_between(0, 1, closed="right")).then(pl.format("share {}: above 0 and up to 1 is due", "share")),
    ]
    joined = pl.concat_str(words, separator="; ", ignore_nulls=True)
    selected = pl.col("__where").fill_null(False)
    rows = rows.with_columns(pl.when((selected | pl.col("failure").is_not_null()) & (joined != "")).then(joined).alias("reason"))
    sha = list(checked.snapshots), list(checked.snapshots.values())
    good = rows.filter(selected & pl.col("reason").is_null()).with_columns(
        pl.lit(source).alias("source"),
        pl.col("__part").replace_strict(*sha, default=None, return_dtype=pl.String).alias("snapshot"),
    )
    return Mapped(
        rows=good.rename({"__part": "part", "__row": "row_number"}).select(*CHANGE).cast(CHANGE),
        rejected=rows.filter(pl.col("reason").is_not_null()).select("__row", "__part", "reason").cast(REJECTED),
        unselected=rows.filter(~selected & pl.col("reason").is_null()).select("__row", "__part"),
        bad_cells=pl.DataFrame(schema=BAD_CELLS),
    )
