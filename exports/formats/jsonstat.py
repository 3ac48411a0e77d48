"""Write JSON-stat 2.0: the values of one indicator as a cube, with the decimals that it states. Statuses are SDMX codes; normal values have none."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.formats.rounding import round_decimals
from exports.model.info import ReleaseInfo
from exports.model.labels import Indicator, Labels
from pipelines.core.code_texts import ALL_AGES, Texts, in_language
from pipelines.core.vocabulary import STATUSES, TOTAL, Status, sex_name

DIMENSIONS: Mapping[str, Texts] = {
    "indicator": ("Indicator", "Ukazatel", "Ukazovateľ"),
    "ref_area": ("Area", "Území", "Územie"),
    "time_period": ("Period", "Období", "Obdobie"),
    "sex": ("Sex", "Pohlaví", "Pohlavie"),
    "age": ("Age", "Věk", "Vek"),
}
"""Labels by the column of the table. The cube of one indicator has one category of the first one."""
COLUMNS = tuple(DIMENSIONS)[1:]
NO_PERIOD: Texts = ("no period", "bez období", "bez obdobia")
SPARSE = 0.5
"""If a smaller share of its cells has a value, a cube lists only the cells with a value."""


def write(frame: pl.DataFrame, name: str, info: ReleaseInfo, labels: Labels, path: Path) -> None:
    """Write the rows of the indicator `name`. A cell without a row in the table has neither value nor status."""
    codes = {column: frame[column].cast(pl.String).unique().sort() for column in COLUMNS}
    sizes = [len(column_codes) for column_codes in codes.values()]
    position = np.zeros(frame.height, dtype=np.int64)
    for column, column_codes in codes.items():
        position = position * len(column_codes) + frame[column].cast(pl.Enum(column_codes)).to_physical().to_numpy()
    text = json.dumps(_head(frame, name, codes, info, labels), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    cells = int(np.prod(sizes))
    with path.open("wb") as file:
        file.write(text[:-1].encode())
        file.write(b',"value":' + _values(frame["obs_value"], labels.indicator(name).decimals, position, cells))
        file.write(b',"status":' + _statuses(frame["obs_status"], position) + b"}\n")


def _head(frame: pl.DataFrame, name: str, codes: Mapping[str, pl.Series], info: ReleaseInfo, labels: Labels) -> dict[str, Any]:
    """Return the document without values and statuses.

    JSON-stat has labels in one language, here the first one of the pack; `extension.translations` has them in the others, each in the place
    that it has in the document. Names of areas and codes have one language and are not repeated. A language without texts of ours has
    the English ones.
    """
    indicator = labels.indicator(name)
    first, *others = info.languages
    metric: dict[str, Any] = {"index": [name], "label": {name: _title(indicator, first)}}
    if indicator.unit and indicator.decimals is not None:  # the format has no unit without decimals
        metric["unit"] = {name: {"label": indicator.unit_in(first), "decimals": indicator.decimals}}
    dimension: dict[str, Any] = {"indicator": {"label": in_language(DIMENSIONS["indicator"], first), "category": metric}}
    for column, column_codes in codes.items():
        index = column_codes.to_list()
        texts = {code: labels.area(code) if column == "ref_area" else _category(column, code, first) or code for code in index}
        dimension[column] = {"label": in_language(DIMENSIONS[column], first), "category": {"index": index, "label": texts}}
    sources = [source for source in info.sources if source["id"] in indicator.sources]
    own = frame["obs_status"].cast(pl.String).unique().to_list()
    used = [status for code, status in STATUSES.items() if code in own]
    extension: dict[str, Any] = {
        "language": first,
        "licence": info.licence_from(indicator.sources),
        "unit": indicator.unit_in(first),
        "status": {"label": _statuses_in(used, first), "own": {status.code: status.sdmx for status in used}},
    }
    if others:
        extension["translations"] = {language: _translation(indicator, codes, used, language) for language in others}
    return {
        "version": "2.0",
        "class": "dataset",
        "label": _title(indicator, first),
        **({"source": "; ".join(f"{info.text(s['publisher'])}: {info.text(s['title'])}" for s in sources)} if sources else {}),
        "id": list(dimension),
        "size": [1, *(len(column_codes) for column_codes in codes.values())],
        "role": {"metric": ["indicator"], "geo": ["ref_area"], "time": ["time_period"]},
        "dimension": dimension,
        "extension": extension,
    }


def _title(indicator: Indicator, language: str) -> str:
    return indicator.titles.get(language) or indicator.title


def _category(column: str, code: str, language: str) -> str | None:
    """Return the label of a category in a language; None if its code is its label."""
    if column == "time_period" and not code:
        return in_language(NO_PERIOD, language)
    if column == "sex":
        return sex_name(code, language)
    return in_language(ALL_AGES, language) if column == "age" and code == TOTAL else None


def _statuses_in(statuses: Sequence[Status], language: str) -> dict[str, str]:
    return {status.sdmx: status.sdmx_name(language) for status in statuses}


def _translation(indicator: Indicator, codes: Mapping[str, pl.Series], statuses: Sequence[Status], language: str) -> dict[str, Any]:
    """Return the labels in another language, in the places that they have in the document."""
    dimension: dict[str, Any] = {
        "indicator": {
            "label": in_language(DIMENSIONS["indicator"], language),
            "category": {"label": {indicator.id: _title(indicator, language)}},
        }
    }
    for column, column_codes in codes.items():
        dimension[column] = {"label": in_language(DIMENSIONS[column], language)}
        if texts := {code: text for code in column_codes.to_list() if (text := _category(column, code, language))}:
            dimension[column]["category"] = {"label": texts}
    return {
        "label": _title(indicator, language),
        "dimension": dimension,
        "extension": {"unit": indicator.unit_in(language), "status": {"label": _statuses_in(statuses, language)}},
    }


def _values(values: pl.Series, decimals: int | None, position: np.ndarray[Any, np.dtype[np.int64]], cells: int) -> bytes:
    has_value = values.is_not_null()
    rounded = round_decimals(values.fill_null(np.nan).to_numpy(), decimals)
    if has_value.sum() < SPARSE * cells:
        listed = pl.DataFrame({"at": position, "value": rounded}).filter(has_value)
        return _object(listed.select(pl.format('"{}":{}', "at", _number(listed["value"]))).to_series())
    cube = np.full(cells, np.nan)
    cube[position] = rounded
    return b"[" + _joined(pl.Series(cube).fill_nan(None)) + b"]"


def _statuses(statuses: pl.Series, position: np.ndarray[Any, np.dtype[np.int64]]) -> bytes:
    codes = statuses.cast(pl.String).replace_strict({code: status.sdmx for code, status in STATUSES.items()}, return_dtype=pl.String)
    listed = pl.DataFrame({"at": position, "code": codes}).filter(codes != "A")
    return _object(listed.select(pl.format('"{}":"{}"', "at", "code")).to_series())


def _object(members: pl.Series) -> bytes:
    return b"{" + ",".join(members.to_list()).encode() + b"}"


def _number(values: pl.Series) -> pl.Series:
    """Return each number as a text."""
    return pl.Series(_joined(values).decode().split(",") if len(values) else [], dtype=pl.String)


def _joined(values: pl.Series) -> bytes:
    """Return numbers separated by commas, with `null` for a missing one. Whole numbers have no decimal point."""
    text = io.BytesIO()
    values.rename("").to_frame().write_csv(text, include_header=False, line_terminator=",", null_value="null")
    return text.getvalue().replace(b".0,", b",").removesuffix(b",")
