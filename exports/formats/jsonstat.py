"""Write JSON-stat 2.0: the values of one indicator as a cube. Statuses are SDMX codes; normal values have none."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.model.info import ReleaseInfo
from exports.model.labels import Labels
from pipelines.core.vocabulary import SEXES, STATUSES

DIMENSIONS = {"ref_area": "Area", "time_period": "Period", "sex": "Sex", "age": "Age"}
NO_PERIOD = "no period"
SPARSE = 0.5
"""If a smaller share of its cells has a value, a cube lists only the cells with a value."""


def write(frame: pl.DataFrame, name: str, info: ReleaseInfo, labels: Labels, path: Path) -> None:
    """Write the rows of the indicator `name`. A cell without a row in the table has neither value nor status."""
    codes = {column: frame[column].cast(pl.String).unique().sort() for column in DIMENSIONS}
    sizes = [len(column_codes) for column_codes in codes.values()]
    position = np.zeros(frame.height, dtype=np.int64)
    for column, column_codes in codes.items():
        position = position * len(column_codes) + frame[column].cast(pl.Enum(column_codes)).to_physical().to_numpy()
    text = json.dumps(_head(frame, name, codes, info, labels), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    cells = int(np.prod(sizes))
    with path.open("wb") as file:
        file.write(text[:-1].encode())
        file.write(b',"value":' + _values(frame["obs_value"], position, cells))
        file.write(b',"status":' + _statuses(frame["obs_status"], position) + b"}\n")


def _head(frame: pl.DataFrame, name: str, codes: Mapping[str, pl.Series], info: ReleaseInfo, labels: Labels) -> dict[str, Any]:
    """Return the document without values and statuses."""
    indicator = labels.indicator(name)
    label_of: dict[str, Any] = {
        "ref_area": labels.area,
        "time_period": lambda period: period or NO_PERIOD,
        "sex": lambda sex: SEXES.get(sex, sex),
        "age": lambda age: "total" if age == "_T" else age,
    }
    metric: dict[str, Any] = {"index": [name], "label": {name: indicator.title}}
    if indicator.unit and indicator.decimals is not None:  # the format has no unit without decimals
        metric["unit"] = {name: {"label": indicator.unit, "decimals": indicator.decimals}}
    dimension: dict[str, Any] = {"indicator": {"label": "Indicator", "category": metric}}
    for column, label in DIMENSIONS.items():
        index = codes[column].to_list()
        dimension[column] = {"label": label, "category": {"index": index, "label": {code: label_of[column](code) for code in index}}}
    sources = [source for source in info.sources if source["id"] in indicator.sources]
    used = frame["obs_status"].cast(pl.String).unique().to_list()
    mapped = {code: (status.sdmx, status.sdmx_name) for code, status in STATUSES.items() if code in used}
    return {
        "version": "2.0",
        "class": "dataset",
        "label": indicator.title,
        **({"source": "; ".join(f"{info.text(s['publisher'])}: {info.text(s['title'])}" for s in sources)} if sources else {}),
        "id": list(dimension),
        "size": [1, *(len(column_codes) for column_codes in codes.values())],
        "role": {"metric": ["indicator"], "geo": ["ref_area"], "time": ["time_period"]},
        "dimension": dimension,
        "extension": {
            "licence": info.licence,
            "unit": indicator.unit,
            "status": {"label": dict(mapped.values()), "own": {own: code for own, (code, _) in mapped.items()}},
        },
    }


def _values(values: pl.Series, position: np.ndarray[Any, np.dtype[np.int64]], cells: int) -> bytes:
    has_value = values.is_not_null()
    if has_value.sum() < SPARSE * cells:
        listed = pl.DataFrame({"at": position, "value": values}).filter(has_value)
        return _object(listed.select(pl.format('"{}":{}', "at", _number(listed["value"]))).to_series())
    cube = np.full(cells, np.nan)
    cube[position] = values.fill_null(np.nan).to_numpy()
    return b"[" + _joined(pl.Series(cube).fill_nan(None)) + b"]"


def _statuses(statuses: pl.Series, position: np.ndarray[Any, np.dtype[np.int64]]) -> bytes:
    codes = statuses.cast(pl.String).replace_strict({code: status.sdmx for code, status in STATUSES.items()}, return_dtype=pl.String)
    listed = pl.DataFrame({"at": position, "code": codes}).filter(codes != "A")
    return _object(listed.select(pl.format('"{}":"{}"', "at", "code")).to_series())


def _object(members: pl.Series) -> bytes:
    return b"{" + ",".join(members.to_list()).encode() + b"}"


def _number(values: pl.Series) -> pl.Series:
    """Return numbers as the texts that the CSV files have."""
    return pl.Series(_joined(values).decode().split(",") if len(values) else [], dtype=pl.String)


def _joined(values: pl.Series) -> bytes:
    """Return numbers separated by commas, with `null` for a missing one."""
    text = io.BytesIO()
    values.rename("").to_frame().write_csv(text, include_header=False, line_terminator=",", null_value="null")
    return text.getvalue().removesuffix(b",")
