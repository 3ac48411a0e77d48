"""codelists/: the meaning of the codes in `obs_status` and `sex`. `csvw` writes their metadata together with those of all CSV files."""

from __future__ import annotations

from collections.abc import Iterable

from exports.model.info import Context
from exports.model.tables import Column, Table
from pipelines.core.vocabulary import SEXES, STATUSES

STATUS = Table(
    "obs_status",
    "The code list of the column obs_status, which says why a value is missing or what users should know about it.",
    (
        Column("code", "VARCHAR", "The code in obs_status"),
        Column("name", "VARCHAR", "Its meaning"),
        Column("value", "VARCHAR", "Whether rows with this code have a value"),
        Column("sdmx", "VARCHAR", "The code from SDMX's code list CL_OBS_STATUS that the SDMX and JSON-stat files use instead"),
    ),
    ("code",),
)
SEX = Table(
    "sex",
    "The code list of the column sex.",
    (Column("code", "VARCHAR", "The code in sex"), Column("name", "VARCHAR", "Its meaning")),
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
