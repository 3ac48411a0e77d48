"""The SDMX structure of the indicator values: components, identifiers and the spelling of codes. Writes nothing."""

from __future__ import annotations

import re

from exports.model.tables import Column, Table

_COVERAGE = (
    "Weight of the areas behind the value, divided by the weight of all areas. Without a denominator: the number of areas behind the value, "
    "divided by the number of all areas. Empty if unknown"
)
_COVERAGE_CS = (
    "Váha území, ze kterých hodnota vychází, dělená vahou všech území. Bez jmenovatele: počet území, ze kterých hodnota vychází, dělený počtem "
    "všech území. Prázdné, pokud není známo"
)
VERSION = "1.0"
"""In SDMX, a structure with a version of two numbers may change: its code lists grow with the data."""
STRUCTURE_PATH = "sdmx/structure.xml"
VALUES = ("indicator", "ref_area", "time_period", "sex", "age", "obs_value", "obs_status", "coverage", "unit_measure")
"""Columns of `indicator_values` that are published as cubes."""
KEY = VALUES[:5]
DATA = Table(
    "sdmx",
    "Values of one indicator in SDMX-CSV 2.0. The data structure and the code lists are in structure.xml in the same folder.",
    (
        Column(
            "STRUCTURE", "VARCHAR", "What STRUCTURE_ID identifies: a dataflow", translations={"cs": "Co označuje STRUCTURE_ID: datový tok"}
        ),
        Column("STRUCTURE_ID", "VARCHAR", "Identifier of the dataflow", translations={"cs": "Identifikátor datového toku"}),
        Column("ACTION", "VARCHAR", "I: the row states a value", translations={"cs": "I: řádek uvádí hodnotu"}),
        Column("INDICATOR", "VARCHAR", "The indicator", translations={"cs": "Ukazatel"}),
        Column("REF_AREA", "VARCHAR", "The area", translations={"cs": "Území"}),
        Column("TIME_PERIOD", "VARCHAR", "The period", translations={"cs": "Období"}),
        Column("SEX", "VARCHAR", "M men, F women, _T total", translations={"cs": "M muži, F ženy, _T celkem"}),
        Column("AGE", "VARCHAR", "Age group; _T total", translations={"cs": "Věková skupina; _T celkem"}),
        Column("OBS_VALUE", "DOUBLE", "The value; empty when missing", translations={"cs": "Hodnota; prázdná, pokud chybí"}),
        Column(
            "OBS_STATUS",
            "VARCHAR",
            "Status from SDMX's code list CL_OBS_STATUS",
            translations={"cs": "Stav hodnoty podle číselníku CL_OBS_STATUS standardu SDMX"},
        ),
        Column(
            "OWN_STATUS",
            "VARCHAR",
            "Status as in the tables of the release, which is more precise",
            translations={"cs": "Stav hodnoty jako v tabulkách vydání, který je podrobnější"},
        ),
        Column("COVERAGE", "DOUBLE", _COVERAGE, "1", 0, 1, translations={"cs": _COVERAGE_CS}),
        Column("UNIT_MEASURE", "VARCHAR", "Unit of the value", translations={"cs": "Jednotka hodnoty"}),
    ),
    ("INDICATOR", "REF_AREA", "TIME_PERIOD", "SEX", "AGE"),
    translations={
        "cs": "Hodnoty jednoho ukazatele v SDMX-CSV 2.0. Struktura dat a číselníky jsou v souboru structure.xml ve stejné složce."
    },
)
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_\-]")


def is_cube(table: Table) -> bool:
    """Whether `table` has the key and the columns of the published indicator values."""
    return table.key == KEY and set(VALUES) <= {column.name for column in table.columns}


def agency(pack: str) -> str:
    return f"ZPO2.{_NOT_ALLOWED.sub('_', pack)}"


def dataflow(pack: str) -> str:
    """Return the identifier for the column STRUCTURE_ID."""
    return f"{agency(pack)}:INDICATORS({VERSION})"


def code(text: str) -> str:
    """Return `text` as an SDMX identifier: a character that is not allowed becomes `$` and two hexadecimal digits for each byte."""
    return _NOT_ALLOWED.sub(lambda character: "".join(f"${byte:02X}" for byte in character[0].encode()), text)
