"""The SDMX structure of the indicator values: components, identifiers and how codes are spelled. Writes nothing."""

from __future__ import annotations

import re

from exports.model.tables import Column, Table

VERSION = "1.0"
"""A version of two numbers may change: its code lists grow with the data."""
STRUCTURE_PATH = "sdmx/structure.xml"
_COVERAGE = (
    "Weight of the areas behind the value over the weight of all; without a denominator, their number over that of all; "
    "empty where it is unknown"
)
VALUES = ("indicator", "ref_area", "time_period", "sex", "age", "obs_value", "obs_status", "coverage", "unit_measure")
"""Columns of `indicator_values` that are published as cubes."""
KEY = VALUES[:5]
DATA = Table(
    "sdmx",
    "Values of one indicator in SDMX-CSV 2.0; the data structure and the code lists are in structure.xml beside it.",
    (
        Column("STRUCTURE", "VARCHAR", "What STRUCTURE_ID identifies"),
        Column("STRUCTURE_ID", "VARCHAR", "Identifier of the dataflow"),
        Column("ACTION", "VARCHAR", "I: the values as they are"),
        Column("INDICATOR", "VARCHAR", "The indicator"),
        Column("REF_AREA", "VARCHAR", "The area"),
        Column("TIME_PERIOD", "VARCHAR", "The period"),
        Column("SEX", "VARCHAR", "M men, F women, _T total"),
        Column("AGE", "VARCHAR", "Age group; _T total"),
        Column("OBS_VALUE", "DOUBLE", "The value; empty when missing"),
        Column("OBS_STATUS", "VARCHAR", "Status after SDMX's CL_OBS_STATUS"),
        Column("OWN_STATUS", "VARCHAR", "Status as in the tables of the release, which says more"),
        Column("COVERAGE", "DOUBLE", _COVERAGE, "1", 0, 1),
        Column("UNIT_MEASURE", "VARCHAR", "Unit of the value"),
    ),
    ("INDICATOR", "REF_AREA", "TIME_PERIOD", "SEX", "AGE"),
)
_NO_CODE = re.compile(r"[^A-Za-z0-9_\-]")


def is_cube(table: Table) -> bool:
    """Whether `table` is the table of indicator values as the release promises it."""
    return table.key == KEY and set(VALUES) <= {column.name for column in table.columns}


def agency(pack: str) -> str:
    return f"ZPO2.{_NO_CODE.sub('_', pack)}"


def dataflow(pack: str) -> str:
    """Return the identifier that stands in STRUCTURE_ID."""
    return f"{agency(pack)}:INDICATORS({VERSION})"


def code(text: str) -> str:
    """Return `text` as an SDMX identifier: every byte of a sign that may not stand in one is `$` and two hexadecimal digits."""
    return _NO_CODE.sub(lambda sign: "".join(f"${byte:02X}" for byte in sign[0].encode()), text)
