"""codelists/obs_status.csv: what the letters in `obs_status` mean, with its own CSVW metadata."""

from __future__ import annotations

from exports.descriptors import csvw
from exports.info import STATUSES, Context
from exports.tables import Column, Table

TABLE = Table(
    "obs_status",
    "The code list of the column obs_status: why a value is missing, or what is to be known about it.",
    (
        Column("code", "VARCHAR", "The letter in obs_status"),
        Column("name", "VARCHAR", "What it says"),
        Column("value", "VARCHAR", "Whether a value comes with it"),
    ),
    ("code",),
)


def descriptor(context: Context) -> dict[str, bytes]:
    lines = [",".join(column.name for column in TABLE.columns)]
    lines += [f"{code},{name},{value}" for code, (name, value) in sorted(STATUSES.items())]
    path = f"codelists/{TABLE.name}.csv"
    return {path: ("\n".join(lines) + "\n").encode(), path + csvw.SUFFIX: csvw.describe(context, TABLE)}
