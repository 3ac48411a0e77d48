"""Map rows to events: what takes place where and when. Titles are kept only where nothing says they are personal; nothing is counted here."""

from __future__ import annotations

import polars as pl

from pipelines.core.sql import identifier
from pipelines.lake.mapping import BAD_CELLS, REJECTED, Checked, Mapped, placing
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs.schema import AreaReference, EventsMap

SCHEMA = pl.Schema({  # type: ignore[arg-type]
    "source": pl.String, "part": pl.String, "id": pl.String, "title": pl.String, "start": pl.Datetime("us"), "end": pl.Datetime("us"),
    "ref_area": pl.String, "category": pl.String, "organiser_kind": pl.String, "audience": pl.String, "is_free": pl.Boolean,
    "is_accessible": pl.Boolean, "is_online": pl.Boolean, "status": pl.String, "url": pl.String, "lat": pl.Float64, "lon": pl.Float64,
    "row_number": pl.Int64, "snapshot": pl.String,
})  # fmt: skip
_TYPES = {"start": "timestamp", "end": "timestamp", "is_free": "boolean", "is_accessible": "boolean", "is_online": "boolean",
          "lat": "double", "lon": "double"}  # fmt: skip
_FIELDS = (
    "id",
    "title",
    "start",
    "end",
    "category",
    "organiser_kind",
    "is_free",
    "is_accessible",
    "is_online",
    "status",
    "url",
    "lat",
    "lon",
)


def map_rows(
    source: str, checked: Checked, spec: EventsMap, territory: Territory, sandbox: Sandbox, personal: frozenset[str] = frozenset()
) -> Mapped:
    """Return the events of the accepted rows. A row without a start, or in no known area, is rejected."""
    frame = checked.rows.filter(~pl.col("__rejected")).with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    given = set(frame.columns)
    area = spec.area
    if area is None and "organiser_ico" in given:
        area = AreaReference(scheme="ico", code="organiser_ico")
    wanted = [("__where", "boolean", spec.where if spec.where is not None else "true")]
    wanted.append(("__area", "varchar", placing.key_of(area) if area else "null"))
    for name in _FIELDS:
        expression = getattr(spec, name)
        if expression is None:
            expression = identifier(name) if name in given and name not in personal else "null"
        wanted.append((name, _TYPES.get(name, "varchar"), expression))
    audience = " || ',' || ".join(f"coalesce(cast((\n{e}\n) as varchar), '')" for e in spec.audience or [])
    wanted.append(("audience", "varchar", audience or (identifier("audience") if "audience" in given else "null")))
    values, failures = sandbox.evaluate(frame.drop("__bad", "__rejected", "__part", "__row"), wanted)
    rows = frame.select("__n", "__row", "__part").join(values, on="__n", maintain_order="left")
    rows = rows.with_columns(pl.col("start").dt.date().alias("__day"), pl.col("__area").str.strip_chars())
    if area is not None:
        rows = placing.areas(rows, area, territory)
    else:
        rows = rows.with_columns(pl.lit(None, pl.String).alias("ref_area"), pl.lit(None, pl.String).alias("area_fault"))
    failed = failures.group_by("__n").agg(pl.format("map.{}: {}", "column", "reason").str.join("; ").alias("failure"))
    rows = rows.join(failed, on="__n", how="left", maintain_order="left")
    words = [
        pl.col("failure"),
        pl.when(pl.col("start").is_null() & pl.col("failure").is_null()).then(pl.lit("the event has no start")),
        pl.col("area_fault"),
    ]
    joined = pl.concat_str(words, separator="; ", ignore_nulls=True)
    selected = pl.col("__where").fill_null(False)
    rows = rows.with_columns(pl.when((selected | pl.col("failure").is_not_null()) & (joined != "")).then(joined).alias("reason"))
    # an event that says nothing of its status takes place: `status <> 'cancelled'` is to find it
    rows = rows.with_columns(pl.col("status").fill_null("confirmed"))
    sha = list(checked.snapshots), list(checked.snapshots.values())
    good = rows.filter(selected & pl.col("reason").is_null()).with_columns(
        pl.lit(source).alias("source"),
        pl.col("__part").replace_strict(*sha, default=None, return_dtype=pl.String).alias("snapshot"),
    )
    return Mapped(
        rows=good.rename({"__part": "part", "__row": "row_number"}).select(*SCHEMA).cast(SCHEMA),
        rejected=rows.filter(pl.col("reason").is_not_null()).select("__row", "__part", "reason").cast(REJECTED),
        unselected=rows.filter(~selected & pl.col("reason").is_null()).select("__row", "__part"),
        bad_cells=pl.DataFrame(schema=BAD_CELLS),
    )
