"""The codes of observations: statuses, sexes and periods. The single place in Python; `dbt_project.yml` holds the same lists as variables.

The statuses are our own code list, published with every release. Of several statuses the one with the highest rank stands.
`tests/unit/test_vocabulary.py` compares this module with the variables of the dbt project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

FIRST_MISSING_RANK = 10
"""Statuses without a value have this rank or a higher one; statuses with a value have a lower rank."""


@dataclass(frozen=True)
class Status:
    """One entry of the code list of `obs_status`.

    `rank` is None for Z, which the evaluation sets at the end and which never competes with others. `sdmx` is the code in SDMX's
    CL_OBS_STATUS, `sdmx_name` its name there.
    """

    code: str
    name: str
    has_value: bool
    rank: int | None
    sdmx: str
    sdmx_name: str

    @property
    def presence(self) -> str:
        """Whether a value comes with the status, in words."""
        return "with a value" if self.has_value else "without a value"


TABLE_FORMATS = ("csv", "parquet")
"""The formats of the tables that are in every release."""
DEFAULT_FORMATS = (*TABLE_FORMATS, "duckdb", "xlsx", "jsonstat", "geo")
FORMATS = (*DEFAULT_FORMATS, "sdmx")
"""What a release can contain; those that are not in DEFAULT_FORMATS are made on request."""

STATUSES: Mapping[str, Status] = {
    status.code: status
    for status in (
        Status("A", "normal", True, 1, "A", "Normal value"),
        Status("B", "break in series", True, 5, "B", "Time series break"),
        Status("E", "estimated", True, 4, "E", "Estimated value"),
        Status("I", "imputed", True, 3, "I", "Imputed value"),
        Status("P", "provisional", True, 2, "P", "Provisional value"),
        Status("M", "missing at source", False, 12, "O", "Missing value"),
        Status("L", "coverage too low", False, 10, "O", "Missing value"),
        Status("Q", "quarantined", False, 13, "O", "Missing value"),
        Status("C", "confidential", False, 15, "Q", "Missing value; suppressed"),
        Status("O", "not collected here", False, 11, "L", "Missing value; data exist but were not collected"),
        Status("Z", "not defined", False, None, "M", "Missing value; data cannot exist"),
        Status("S", "source down", False, 14, "O", "Missing value"),
    )
}
"""By code, in the order in which the documentation lists them."""

STATUS_RANK: Mapping[str, int] = {
    status.code: status.rank for status in sorted(STATUSES.values(), key=lambda s: s.rank or 0) if status.rank is not None
}
"""Rank by status, in ascending order."""
STATUS_OF_RANK: Mapping[int, str] = {rank: code for code, rank in STATUS_RANK.items()}

MALE, FEMALE, UNKNOWN_SEX, TOTAL = "M", "F", "_U", "_T"
SEXES: Mapping[str, str] = {FEMALE: "women", MALE: "men", TOTAL: "total", UNKNOWN_SEX: "unknown"}
"""The code list of `sex`."""
PUBLISHED_SEXES = (MALE, FEMALE, TOTAL)
"""The sexes that published tables break values down by."""

AREAS, AREA_KM2 = "areas", "area_km2"
"""Built-in measures that every area has: 1, and its surface."""

PERIOD = re.compile(r"([0-9]{4})(?:-Q([1-4])|-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?")
"""A year, a quarter (2021-Q3), a month (2021-07) or a day; matches the whole text."""


def first_day(period: str) -> date | None:
    """Return the first day of a period, None where the text is no period or the day does not exist."""
    match = PERIOD.fullmatch(period)
    if match is None:
        return None
    year, quarter, month, day = match.groups()
    try:
        return date(int(year), int(month or 1) if quarter is None else int(quarter) * 3 - 2, int(day or 1))
    except ValueError:
        return None


def years_before(period: str, years: int) -> str:
    """Return the same period `years` calendar years earlier: 2021-Q3 less 1 is 2020-Q3."""
    return f"{int(period[:4]) - years:04d}{period[4:]}" if years else period
