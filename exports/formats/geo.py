"""Write areas as map files: points as GeoParquet 1.1 and GeoJSON (RFC 7946). Areas without a point are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from exports.formats import parquet
from exports.model.tables import Table

POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
"""A point as well-known binary, little-endian, with the longitude first."""


PLACE = ("point_lon", "point_lat")
"""Columns with the point of an area, beside `lon` and `lat`, which are what the source says."""


def points(frame: pl.DataFrame, moved: Mapping[str, tuple[float, float]]) -> pl.DataFrame:
    """Return the areas that have both coordinates, with their points: those of `moved`, or what the source says."""
    frame = frame.filter(pl.col("lat").is_not_null() & pl.col("lon").is_not_null())
    return frame.with_columns(
        pl.Series(
            name,
            [moved[ref][axis] if ref in moved else degrees for ref, degrees in frame.select("ref_area", column).iter_rows()],
            pl.Float64,
        )
        for axis, (name, column) in enumerate(zip(PLACE, ("lon", "lat"), strict=True))
    )


def write_parquet(frame: pl.DataFrame, table: Table, about: Mapping[str, str], path: Path) -> None:
    """Write areas with points in the order of their key. The columns are those of the table, plus `geometry` and its `bbox`."""
    lon, lat = (frame[name].to_numpy() for name in PLACE)
    plain = (
        frame.drop(PLACE)
        .to_arrow()
        .cast(pa.schema([pa.field(c.name, parquet.ARROW_TYPES[c.type], c.name not in table.key) for c in table.columns]))
    )
    corners = {name: frame[axis].to_arrow() for name, axis in zip(("xmin", "ymin", "xmax", "ymax"), (*PLACE, *PLACE), strict=True)}
    box = pa.StructArray.from_arrays(list(corners.values()), fields=[pa.field(name, pa.float64(), nullable=False) for name in corners])
    whole = plain.append_column(pa.field("geometry", pa.binary(), nullable=False), _well_known(lon, lat))
    whole = whole.append_column(pa.field("bbox", box.type, nullable=False), box)
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "covering": {"bbox": {name: ["bbox", name] for name in corners}},
    }
    if frame.height:
        column["bbox"] = [float(v) for v in (lon.min(), lat.min(), lon.max(), lat.max())]
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    with pq.ParquetWriter(
        path,
        whole.schema,
        compression="zstd",
        write_page_index=True,
        sorting_columns=[pq.SortingColumn(whole.schema.names.index(name)) for name in table.key],
        store_schema=False,
    ) as writer:
        writer.add_key_value_metadata({"geo": json.dumps(geo), **parquet.metadata(table), **about})
        if len(whole):
            writer.write_table(whole, row_group_size=parquet.ROW_GROUP)


def _well_known(lon: np.ndarray[Any, Any], lat: np.ndarray[Any, Any]) -> pa.Array:
    cells = np.empty(len(lon), dtype=POINT)
    cells["order"], cells["kind"], cells["x"], cells["y"] = 1, 1, lon, lat
    offsets = np.arange(len(lon) + 1, dtype=np.int32) * POINT.itemsize
    return pa.Array.from_buffers(pa.binary(), len(lon), [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(cells.tobytes())])


def write_geojson(frame: pl.DataFrame, path: Path) -> None:
    """Write areas with points, one feature per line. All other columns are properties, including nulls."""
    lines = []
    for row in frame.iter_rows(named=True):
        geometry = {"type": "Point", "coordinates": [row.pop(name) for name in PLACE]}
        del row["lon"], row["lat"]
        lines.append(json.dumps({"type": "Feature", "id": row["ref_area"], "geometry": geometry, "properties": row}, ensure_ascii=False))
    path.write_text('{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
