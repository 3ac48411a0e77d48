"""One territory from the area rows of all sources: areas, parents, codes and attributes, with their validity. Knows no sources or files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import polars as pl

AREA_COLUMNS = pl.Schema({
    "ref_area": pl.String, "level": pl.String, "name": pl.String, "country": pl.String,
    "lat": pl.Float64, "lon": pl.Float64, "area_km2": pl.Float64, "valid_from": pl.Date, "valid_to": pl.Date,
})  # fmt: skip
LINK = pl.Schema({"ref_area": pl.String, "parent": pl.String, "valid_from": pl.Date, "valid_to": pl.Date})
CODE = pl.Schema({"scheme": pl.String, "code": pl.String, "valid_from": pl.Date, "valid_to": pl.Date, "ref_area": pl.String})
CHANGE = pl.Schema({
    "from_area": pl.String, "to_area": pl.String, "changed_on": pl.Date, "share": pl.Float64,
    "source": pl.String, "part": pl.String, "row_number": pl.Int64, "snapshot": pl.String,
})  # fmt: skip
ATTRIBUTE = pl.Schema({"ref_area": pl.String, "attribute": pl.String, "value": pl.String})
GAP = pl.Schema({"ref_area": pl.String, "ended_on": pl.Date, "resumed_on": pl.Date})
"""Times between the first and the last day of an area in which it is not valid: from `ended_on` on, and before `resumed_on`."""

# What the mapping returns for each area of a row. Nested lists keep one area in one row of the lake.
ROW_SCHEMA = pl.Schema({  # type: ignore[arg-type]
    "ref_area": pl.String, "level": pl.String, "name": pl.String, "country": pl.String, "lat": pl.Float64, "lon": pl.Float64,
    "area_km2": pl.Float64, "valid_from": pl.Date, "valid_to": pl.Date,
    "codes": pl.List(pl.Struct({"scheme": pl.String, "code": pl.String})),
    "parents": pl.List(pl.Struct({"level": pl.String, "parent": pl.String})),
    "attributes": pl.List(pl.Struct({"attribute": pl.String, "value": pl.String})),
    "source": pl.String, "part": pl.String, "row_number": pl.Int64, "snapshot": pl.String,
})  # fmt: skip
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Territory:
    """The areas of a pack, merged from all sources. An open end of validity is null.

    An area that ended and separated again is one row of `areas`, from its first day to its last; `gaps` has the times between.
    `unknown_parents` says by level which parents no source of areas gives. `replaced` are the areas that a change replaced by others.
    """

    areas: pl.DataFrame
    parents: pl.DataFrame
    codes: pl.DataFrame
    attributes: pl.DataFrame
    gaps: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=GAP))
    warnings: tuple[str, ...] = ()
    unknown_parents: Mapping[str, str] = field(default_factory=dict)
    replaced: frozenset[str] = frozenset()

    def with_changes(self, changes: pl.DataFrame) -> Territory:
        """Return this territory after `changes` (rows of CHANGE): an area that passes on all of itself is valid until that day.

        An area that only changes name is a former one; it has the level of the area that it became in the end. An area that later receives
        something, or whose own dates begin later, has separated again: it is not valid in between.
        """
        # a change without a share passes on everything; shares that sum to less leave the rest where it is
        passed_on = (
            changes.group_by("from_area", "changed_on")
            .agg(pl.col("share").fill_null(1.0).sum().alias("_passed"))
            .filter(pl.col("_passed") > 1 - 1e-9)
            .join(changes.filter(pl.col("from_area") == pl.col("to_area")), on=["from_area", "changed_on"], how="anti")
            .select(pl.col("from_area").alias("ref_area"), pl.col("changed_on").alias("ended_on"))
            .join(self._first_days(changes), on="ref_area", how="left")
            .group_by("ref_area", "ended_on")
            .agg(pl.col("_day").filter(pl.col("_day") > pl.col("ended_on")).min().alias("resumed_on"))
        )
        ends = passed_on.filter(pl.col("resumed_on").is_null()).group_by("ref_area").agg(pl.col("ended_on").min().alias("_end"))
        areas = (
            pl.concat([self.areas, self._former_areas(changes)])
            .join(ends, on="ref_area", how="left")
            .with_columns(pl.coalesce("valid_to", "_end").alias("valid_to"))
        )
        gaps = _gaps_within(areas, pl.concat([self.gaps, passed_on.drop_nulls("resumed_on").select(*GAP)]))
        return replace(self, areas=areas.select(*AREA_COLUMNS).sort("ref_area"), gaps=gaps, replaced=self.replaced | {*ends["ref_area"]})

    def _first_days(self, changes: pl.DataFrame) -> pl.DataFrame:
        """Return the days from which an area is valid, or valid again: it receives something from another one, or its own dates begin."""
        received = changes.filter(pl.col("from_area") != pl.col("to_area")).select(ref_area="to_area", _day="changed_on")
        begun = self.areas.select("ref_area", _day="valid_from").drop_nulls()
        return pl.concat([received, begun, self.gaps.select("ref_area", _day="resumed_on")])

    def without_parent(self, levels: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return by level which areas have no parent any more, or never had one. `levels` has the parents of each level.

        An area needs a parent of one of these levels. An area that a change replaced needs none: its numbers pass to other areas.
        """
        is_replaced = pl.col("ref_area").is_in(list(self.replaced))
        pairs = pl.DataFrame(
            [(level, parent) for level, parents in levels.items() for parent in parents],
            schema={"level": pl.String, "parent_level": pl.String}, orient="row",
        )  # fmt: skip
        above = self.areas.select(
            pl.col("ref_area").alias("parent"),
            pl.col("level").alias("parent_level"),
            (pl.col("valid_to").is_not_null() & ~is_replaced).alias("ended"),
        )
        until = (
            self.parents.join(self.areas.select("ref_area", "level"), on="ref_area")
            .join(above, on="parent")
            .join(pairs, on=["level", "parent_level"], how="semi")
            .group_by("ref_area")
            .agg(pl.when("ended").then(_FIRST).otherwise(pl.col("valid_to").fill_null(_LAST)).max().alias("until"))
        )
        without = (
            self.areas.filter(pl.col("level").is_in(pairs["level"].unique().to_list()) & ~is_replaced)
            .join(until, on="ref_area", how="left")
            .filter(pl.col("until").is_null() | (pl.col("valid_to").is_null() & (pl.col("until") < _LAST)))
        )
        counts = without.group_by("level", maintain_order=True).agg(pl.len(), pl.col("ref_area").first())
        return {
            level: f"{count} areas of level {level} have no parent of level {' or '.join(levels[level])}, for example {example}"
            for level, count, example in counts.iter_rows()
        }

    def _former_areas(self, changes: pl.DataFrame) -> pl.DataFrame:
        """Return the areas that only `changes` name and that became known ones, directly or by way of each other."""
        first = changes.group_by(pl.col("from_area").alias("ref_area"), maintain_order=True).agg(
            pl.col("to_area").sort_by("changed_on").first()
        )
        unknown = first.join(self.areas, on="ref_area", how="anti")
        successors = self.areas.select("ref_area", "level", "country")
        former = [successors.clear()]
        while unknown.height:
            predecessors = unknown.join(successors.rename({"ref_area": "to_area"}), on="to_area", maintain_order="left").select(
                "ref_area", "level", "country"
            )
            if not predecessors.height:
                break  # the rest leads to no area of the sources
            former.append(predecessors)
            unknown, successors = unknown.join(predecessors, on="ref_area", how="anti", maintain_order="left"), predecessors
        columns = (pl.col(c) if c in ("ref_area", "level", "country") else pl.lit(None, t).alias(c) for c, t in AREA_COLUMNS.items())
        return pl.concat(former).select(*columns)

    @cached_property
    def spans(self) -> pl.DataFrame:
        """When each area is valid: (ref_area, valid_from, valid_to), one row for each time without a gap in it."""
        first = pl.concat([self.areas.select("ref_area", "valid_from"), self.gaps.select("ref_area", valid_from="resumed_on")])
        last = pl.concat([self.areas.select("ref_area", "valid_to"), self.gaps.select("ref_area", valid_to="ended_on")])
        # the first day of an area comes before the ends of its gaps, and their beginnings come before its last day
        return pl.concat(
            [first.sort("ref_area", "valid_from", nulls_last=False), last.sort("ref_area", "valid_to", nulls_last=True).select("valid_to")],
            how="horizontal",
        )

    def by_reference(self) -> pl.DataFrame:
        """Return (key, ref_area, valid_from, valid_to): areas by their own identifier."""
        return self.spans.select(pl.col("ref_area").alias("key"), "ref_area", "valid_from", "valid_to")

    def by_code(self, scheme: str) -> pl.DataFrame:
        """Return (key, ref_area, valid_from, valid_to): areas by their code in `scheme`, for as long as both are valid."""
        area = self.spans.select("ref_area", pl.col("valid_from").alias("_from"), pl.col("valid_to").alias("_to"))
        joined = self.codes.filter(pl.col("scheme") == scheme).join(area, on="ref_area")
        return joined.select(
            pl.col("code").alias("key"),
            "ref_area",
            pl.max_horizontal("valid_from", "_from").alias("valid_from"),
            pl.min_horizontal("valid_to", "_to").alias("valid_to"),
        )


def _declared_gaps(merged: pl.DataFrame) -> pl.DataFrame:
    """Return the times between the dated rows of an area. Rows without any date limit nothing."""
    dated = merged.filter(_has_dates()).select(
        "ref_area", pl.col("valid_from").fill_null(_FIRST).alias("resumed_on"), pl.col("valid_to").fill_null(_LAST).alias("_to")
    )
    ended_before = pl.col("_to").cum_max().shift(1).over("ref_area", order_by="resumed_on")
    return dated.with_columns(ended_before.alias("ended_on")).filter(pl.col("resumed_on") > pl.col("ended_on")).select(*GAP).sort(*GAP)


def _gaps_within(areas: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """Return `gaps` as far as they lie between the first and the last day of their area; those that overlap become one."""
    inside = (
        gaps.join(areas.select("ref_area", "valid_from", "valid_to"), on="ref_area")
        .filter(
            pl.col("valid_from").is_null() | (pl.col("resumed_on") > pl.col("valid_from")),
            pl.col("valid_to").is_null() | (pl.col("ended_on") < pl.col("valid_to")),
        )
        .sort("ref_area", "ended_on", "resumed_on")
    )
    reached = pl.col("resumed_on").cum_max().shift(1).over("ref_area")
    is_new = (pl.col("ended_on") > reached).fill_null(True)
    return (
        inside.with_columns(is_new.cum_sum().alias("_gap"))
        .group_by("ref_area", "_gap", maintain_order=True)
        .agg(pl.col("ended_on").min(), pl.col("resumed_on").max())
        .select(*GAP)
    )


def merge_areas(rows: Sequence[pl.DataFrame], country: str) -> Territory:
    """Merge the area rows of all sources, in order. The last value of an attribute wins; differing values give a warning.

    Areas that name no country get `country`.
    """
    frames = [frame for frame in rows if frame.height]
    if not frames:
        empty = [pl.DataFrame(schema=s) for s in (AREA_COLUMNS, LINK, CODE, ATTRIBUTE)]
        return Territory(empty[0], empty[1], empty[2], empty[3])
    merged = pl.concat(frames).with_row_index("_order")
    warnings: list[str] = []
    areas = _areas(merged, country, warnings)
    validity = areas.select("ref_area", pl.col("valid_from").alias("_from"), pl.col("valid_to").alias("_to"))
    parents, unknown_parents = _parent_links(merged, areas, validity)
    codes = _with_dates(merged.explode("codes").drop_nulls("codes").unnest("codes").drop_nulls("code"), validity)
    attributes = (
        merged.explode("attributes")
        .drop_nulls("attributes")
        .unnest("attributes")
        .drop_nulls("value")
        .group_by("ref_area", "attribute", maintain_order=True)
        .agg(pl.col("value").last())
        .select(*ATTRIBUTE)
        .sort("ref_area", "attribute")
    )
    codes = codes.select(*CODE).unique().sort(*CODE)
    return Territory(areas, parents, codes, attributes, _declared_gaps(merged), tuple(warnings), unknown_parents)


def _areas(merged: pl.DataFrame, country: str, warnings: list[str]) -> pl.DataFrame:
    values = ("level", "name", "country", "lat", "lon", "area_km2")
    grouped = merged.group_by("ref_area", maintain_order=True).agg(
        *(pl.col(c).drop_nulls().last() for c in values),
        *(pl.col(c).drop_nulls().n_unique().alias(f"_n_{c}") for c in values),
        # rows without any date do not limit validity; several dated rows span from the first day to the last, with gaps
        pl.col("valid_from").filter(_has_dates()).fill_null(_FIRST).min().alias("valid_from"),
        pl.col("valid_to").filter(_has_dates()).fill_null(_LAST).max().alias("valid_to"),
    )
    for column in values:
        different = grouped.filter(pl.col(f"_n_{column}") > 1)["ref_area"]
        if len(different):
            warnings.append(
                f"{column}: {len(different)} areas are declared with different values, for example {different[0]}; the last one is used"
            )
    return (
        grouped.with_columns(
            pl.col("country").fill_null(country),
            pl.when(pl.col("valid_from") > _FIRST).then("valid_from").alias("valid_from"),
            pl.when(pl.col("valid_to") < _LAST).then("valid_to").alias("valid_to"),
        )
        .select(*AREA_COLUMNS)
        .sort("ref_area")
    )


def _has_dates() -> pl.Expr:
    return pl.col("valid_from").is_not_null() | pl.col("valid_to").is_not_null()


def _with_dates(links: pl.DataFrame, validity: pl.DataFrame) -> pl.DataFrame:
    """Return links with the dates of their own row, or else with those of their area."""
    own = _has_dates()
    return links.join(validity, on="ref_area", how="left").with_columns(
        pl.when(own).then("valid_from").otherwise("_from").alias("valid_from"),
        pl.when(own).then("valid_to").otherwise("_to").alias("valid_to"),
    )


def _parent_links(merged: pl.DataFrame, areas: pl.DataFrame, validity: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return the links to parents that a source of areas gives, and by level which other parents the rows name."""
    # `level` of the row is the child's, so the declared level of the parent needs another name
    named = merged.with_columns(pl.col("parents").list.eval(pl.element().struct.rename_fields(["parent_level", "parent"])))
    links = named.explode("parents").drop_nulls("parents").unnest("parents").drop_nulls("parent")
    with_level = links.join(areas.select(pl.col("ref_area").alias("parent"), pl.col("level").alias("_level")), on="parent", how="left")
    unknown = with_level.filter(pl.col("_level").is_null() | (pl.col("_level") != pl.col("parent_level")))
    counts = unknown.group_by("parent_level", maintain_order=True).agg(
        pl.col("ref_area").n_unique(),
        pl.col("parent").n_unique().alias("parents"),
        pl.col("ref_area").first().alias("child"),
        pl.col("parent").first(),
    )
    messages = {
        level: f"{children} areas name {parents} parents that no source of areas gives at that level, for example {child} -> {parent} ({level})"
        for level, children, parents, child, parent in counts.iter_rows()
    }
    good = with_level.filter(pl.col("_level") == pl.col("parent_level"))
    return _with_dates(good, validity).select(*LINK).unique().sort(*LINK), messages
