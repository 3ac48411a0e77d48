"""The codes of observations: statuses, sexes and periods. The single place in Python; `dbt_project.yml` holds the same lists as variables.
`code_texts` has their names by language.

The statuses are our own code list, published with every release. Of several statuses the one with the highest rank stands.
`tests/unit/test_vocabulary.py` compares this module with the variables of the dbt project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pipelines.core import code_texts

FIRST_MISSING_RANK = 10
"""Statuses without a value have this rank or a higher one; statuses with a value have a lower rank."""


@dataclass(frozen=True)
class Status:
    """One entry of the code list of `obs_status`.

    `rank` is None for Z, which the evaluation sets at the end and which never competes with others. `sdmx` is the code in SDMX's
    CL_OBS_STATUS. The texts are in English where there are none in a language.
    """

    code: str
    has_value: bool
    rank: int | None
    sdmx: str

    def name(self, language: str = "en") -> str:
        return code_texts.in_language(code_texts.STATUS_NAMES[self.code], language)

    def explanation(self, language: str = "en") -> str:
        """Return what the status says, as a phrase for readers."""
        return code_texts.in_language(code_texts.STATUS_EXPLANATIONS[self.code], language)

    def presence(self, language: str = "en") -> str:
        """Return whether a value comes with the status, in words."""
        return code_texts.in_language(code_texts.PRESENCES[self.has_value], language)

    def sdmx_name(self, language: str = "en") -> str:
        """Return the name of `sdmx` in CL_OBS_STATUS."""
        return code_texts.in_language(code_texts.SDMX_STATUS_NAMES[self.sdmx], language)


TABLE_FORMATS = ("csv", "parquet")
"""The formats of the tables that are in every release."""
DEFAULT_FORMATS = (*TABLE_FORMATS, "duckdb", "xlsx", "jsonstat", "geo", "api", "site")
FORMATS = (*DEFAULT_FORMATS, "sdmx")
"""What a release can contain; those that are not in DEFAULT_FORMATS are made on request."""

NEEDED_BY: Mapping[str, str] = {"site": "api"}
"""The format whose files another format reads."""

STATUSES: Mapping[str, Status] = {
    status.code: status
    for status in (
        Status("A", True, 1, "A"),
        Status("B", True, 5, "B"),
        Status("E", True, 4, "E"),
        Status("I", True, 3, "I"),
        Status("P", True, 2, "P"),
        Status("M", False, 12, "O"),
        Status("L", False, 10, "O"),
        Status("Q", False, 13, "O"),
        Status("C", False, 15, "Q"),
        Status("O", False, 11, "L"),
        Status("Z", False, None, "M"),
        Status("S", False, 14, "O"),
    )
}
"""By code, in the order in which the documentation lists them."""

STATUS_RANK: Mapping[str, int] = {
    status.code: status.rank for status in sorted(STATUSES.values(), key=lambda s: s.rank or 0) if status.rank is not None
}
"""Rank by status, in ascending order."""
STATUS_OF_RANK: Mapping[int, str] = {rank: code for code, rank in STATUS_RANK.items()}

MALE, FEMALE, UNKNOWN_SEX, TOTAL = "M", "F", "_U", "_T"
SEXES = (FEMALE, MALE, TOTAL, UNKNOWN_SEX)
"""The code list of `sex`."""
PUBLISHED_SEXES = (MALE, FEMALE, TOTAL)
"""The sexes that published tables break values down by."""

AREAS, AREA_KM2 = "areas", "area_km2"
"""Built-in measures that every area has: 1, and its surface."""

PERIOD = re.compile(r"([0-9]{4})(?:-Q([1-4])|-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?")
"""A year, a quarter (2021-Q3), a month (2021-07) or a day; matches the whole text."""


def sex_name(code: str, language: str = "en") -> str:
    """Return the name of a code of `sex`; a code that is not in the list is its own name."""
    return code_texts.in_language(code_texts.SEX_NAMES[code], language) if code in code_texts.SEX_NAMES else code


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
