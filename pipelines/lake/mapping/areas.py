"""Map rows to areas: one row may declare several areas. The territory merges the areas of several sources."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pipelines.lake.mapping import (
    BAD_CELLS,
    REJECTED,
    MappedRows,
    ValidatedRows,
    canonical_rows,
    cells_only,
    named_values,
    not_dates,
    unread_fault,
)
from pipelines.lake.mapping.possible_numbers import COORDINATES, SIZE, without_impossible
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import ROW_SCHEMA
from pipelines.packs.schema import AreaMap, AreasMap
from pipelines.readers import UnreadableSnapshot

_DATES = ("valid_from", "valid_to")
_NUMBERS = ("lat", "lon", "area_km2")
_TEXTS = ("ref_area", "level", "name", "country")
_COUNTRY = "^[A-Z]{2}$"  # ISO 3166-1 alpha-2
CONTROL = r"[\x00-\x1f\x7f-\x9f\u{2028}\u{2029}]"
"""Characters that move the cursor or command a terminal, line ends and tabs included."""
TURNING = r"[\u{202a}-\u{202e}\u{2066}-\u{2069}]"
"""Characters that turn the direction of what follows (`pipelines.core.printable`)."""
MARKS = r"(\p{M}{4})\p{M}+"
"""More than four combining marks in a row: no script needs more, and they are drawn over the lines above and below (UTS #39, 5.4)."""

_FAULTS_OF_CODES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "has control characters": lambda code: code.str.contains(f"{CONTROL}|{TURNING}"),
    # two of them would become one in the published tables
    "is not in Unicode's composed form (NFC)": lambda code: code != code.str.normalize("NFC"),
    "looks like one that is guarded against spreadsheets": lambda code: code.str.contains(r"^'[=+\-@]"),
}


MAX_AREAS = 1_000_000
"""Areas of a source: the whole of Europe has a tenth of that. All areas are in memory while a run works."""


def map_rows(source: str, validated: ValidatedRows, spec: AreasMap, levels: list[str], sandbox: Sandbox) -> MappedRows:
    """Return the areas of the accepted rows. A row without an identifier or with an unknown level is rejected.

    Raises UnreadableSnapshot if there are more than MAX_AREAS.
    """
    frame = validated.accepted
    if frame.height * len(spec.area) > MAX_AREAS:
        raise UnreadableSnapshot(f"the rows give {frame.height * len(spec.area)} areas, more than {MAX_AREAS}")
    cells = cells_only(frame)
    base = frame.select("__n", "__row", "__cell", "__part", "__bad")
    where, where_failures = sandbox.evaluate(cells, [("__where", "boolean", spec.where if spec.where is not None else "true")])
    base = base.join(where, on="__n", maintain_order="left")
    selected = pl.col("__where").fill_null(False)
    areas, failures = [], [where_failures]
    unread: list[pl.Expr] = []
    for i, area in enumerate(spec.area):
        values, area_failures = sandbox.evaluate(cells, _expressions(area))
        failures.append(area_failures)
        dates = {name: getattr(area, name) for name in _DATES}
        unread += not_dates(values, frame, dates, "date", sandbox, "area.")
        areas.append(_one_area(base.join(values, on="__n", maintain_order="left"), area, i))
    rows, bad_cells = without_impossible(pl.concat(areas).filter(selected), COORDINATES | SIZE, "map.area")
    bad_cells = bad_cells.unique(maintain_order=True)  # several areas of a row may have the same point
    reasons = _reasons(rows, base.filter(selected), spec, pl.concat(failures), levels, unread)
    accepted = rows.join(reasons, on="__n", how="anti", maintain_order="left").sort("__n", "__i")
    return MappedRows(
        rows=canonical_rows(source, accepted, validated.snapshots, ROW_SCHEMA),
        rejected=base.join(reasons, on="__n").select(*REJECTED).cast(REJECTED),
        unselected=base.filter(~selected).join(reasons, on="__n", how="anti").select("__row", "__cell", "__part"),
        bad_cells=bad_cells.join(reasons, on="__n", how="anti").select(*BAD_CELLS).cast(BAD_CELLS),
    )


def _reasons(
    rows: pl.DataFrame, selected: pl.DataFrame, spec: AreasMap, failures: pl.DataFrame, levels: list[str], unread: list[pl.Expr]
) -> pl.DataFrame:
    """Return why rows are rejected, as `__n` and `reason`, one row each. `unread` are the faults of dates."""
    is_unknown_level = ~pl.col("level").fill_null("").is_in(levels)
    bad_country = pl.format("country {}: expected two capital letters", "country")
    bad_level = pl.format("level {}: no such level", pl.col("level").fill_null("(empty)"))
    reasons = pl.concat(
        [
            failures.select("__n", pl.format("map.area.{}: {}", "column", "reason").alias("reason")),
            rows.filter(pl.col("ref_area").is_null()).select("__n", pl.lit("the area has no identifier").alias("reason")),
            *(rows.select("__n", fault.alias("reason")).drop_nulls() for fault in _faults_of_codes()),
            rows.filter(~pl.col("country").str.contains(_COUNTRY)).select("__n", bad_country.alias("reason")),
            rows.filter(is_unknown_level).select("__n", bad_level.alias("reason")),
            rows.filter(pl.col("valid_to") <= pl.col("valid_from")).select(
                "__n", pl.lit("valid_to is not after valid_from").alias("reason")
            ),
            *(
                selected.select("__n", unread_fault(f"area.{name}", getattr(area, name)).alias("reason")).drop_nulls()
                for area in spec.area
                for name in _DATES
            ),
            *(selected.select("__n", fault.alias("reason")).drop_nulls() for fault in unread),
        ]
    )
    return reasons.unique(maintain_order=True).group_by("__n", maintain_order=True).agg(pl.col("reason").str.join("; "))


def _faults_of_codes() -> list[pl.Expr]:
    """Return why the identifier or a code of an area cannot be published as it is, or null."""
    of_codes = pl.element().struct.field("code")
    faults: list[pl.Expr] = []
    for fault, is_wrong in _FAULTS_OF_CODES.items():
        faults.append(pl.when(is_wrong(pl.col("ref_area"))).then(pl.lit(f"the identifier of the area {fault}")))
        faults.append(pl.when(pl.col("codes").list.eval(is_wrong(of_codes)).list.any()).then(pl.lit(f"a code of the area {fault}")))
    return faults


def _expressions(area: AreaMap) -> list[tuple[str, str, str]]:
    kinds = {"varchar": _TEXTS, "double": _NUMBERS, "date": _DATES}
    expressions = [(name, kind, e) for kind, names in kinds.items() for name in names if (e := getattr(area, name)) is not None]
    for prefix, named in (("code", area.codes), ("parent", area.parents), ("attribute", area.attributes)):
        expressions += [(f"{prefix}:{name}", "varchar", e) for name, e in named.items()]
    return expressions


def _one_area(rows: pl.DataFrame, area: AreaMap, position: int) -> pl.DataFrame:
    missing = [
        *(pl.lit(None, pl.String).alias(c) for c in _TEXTS if c not in rows.columns),
        *(pl.lit(None, pl.Float64).alias(c) for c in _NUMBERS if c not in rows.columns),
        *(pl.lit(None, pl.Date).alias(c) for c in _DATES if c not in rows.columns),
    ]

    def pairs(prefix: str, names: dict[str, str], label: str, value: str) -> pl.Expr:
        return named_values({name: _stripped(f"{prefix}:{name}", of_readers=prefix == "attribute") for name in names}, label, value)

    texts = (_stripped(c) if c == "ref_area" else _stripped(c, of_readers=True) for c in _TEXTS)
    return rows.with_columns(*missing).with_columns(*texts).select(
        "__n", "__row", "__cell", "__part", "__where", pl.lit(position).alias("__i"), *_TEXTS, *_NUMBERS, *_DATES,
        pairs("code", area.codes, "scheme", "code").alias("codes"),
        pairs("parent", area.parents, "level", "parent").alias("parents"),
        pairs("attribute", area.attributes, "attribute", "value").alias("attributes"),
    )  # fmt: skip


def _stripped(column: str, *, of_readers: bool = False) -> pl.Expr:
    """Return the texts of a column without blanks around them, null where nothing is left.

    Those for readers get a blank for control characters, and lose what turns the direction of writing and marks beyond four on a letter.
    """
    text = pl.col(column)
    if of_readers:
        text = text.str.replace_all(f"{CONTROL}+", " ").str.replace_all(TURNING, "").str.replace_all(MARKS, "${1}")
    text = text.str.strip_chars()
    return pl.when(text != "").then(text).alias(column)
