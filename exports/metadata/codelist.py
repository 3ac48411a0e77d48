"""codelists/: what the codes in `obs_status` and `sex` mean. Their metadata are written with those of all CSV files."""

from __future__ import annotations

from collections.abc import Iterable

from exports.model.info import Context
from exports.model.tables import Column, Table
from pipelines.core.vocabulary import SEXES, STATUSES

STATUS = Table(
    "obs_status",
    "The code list of the column obs_status: why a value is missing, or what is to be known about it.",
    (
        Column("code", "VARCHAR", "The letter in obs_status"),
        Column("name", "VARCHAR", "What it says"),
        Column("value", "VARCHAR", "Whether a value comes with it"),
        Column("sdmx", "VARCHAR", "The code of SDMX's CL_OBS_STATUS that it is in the SDMX and JSON-stat files"),
    ),
    ("code",),
)
SEX = Table(
    "sex",
    "The code list of the column sex.",
    (Column("code", "VARCHAR", "The code in sex"), Column("name", "VARCHAR", "What it says")),
    ("code",),
)
TABLES = (STATUS, SEX)


def path(table: Table) -> str:
    return f"codelists/{table.name}.csv"


def descriptor(context: Context) -> dict[str, bytes]:
    statuses = [(code, status.name, status.presence, status.sdmx) for code, status in sorted(STATUSES.items())]
    return {path(STATUS): _csv(STATUS, statuses), path(SEX): _csv(SEX, sorted(SEXES.items()))}


def _csv(table: Table, rows: Iterable[tuple[str, ...]]) -> bytes:
    lines = [",".join(column.name for column in table.columns), *(",".join(row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()
