"""What a run left of each case: the lake named by the manifest, the quarantine, the status; and how that differs from what is due."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tests.hostile.case import PERIOD, Case, Row


class State:
    """The state of a home after a run. Read once, asked by every case."""

    def __init__(self, home: Path, counts: dict[str, Any], errors: dict[str, str]) -> None:
        self.home = home
        self.counts = counts  # of each source, as the run told them
        self.errors = errors  # why the present snapshot of a source is not taken
        self.manifest: dict[str, Any] = json.loads((home / "manifests" / "current.json").read_text(encoding="utf-8"))

    def lake(self, kind: str) -> pl.DataFrame:
        """Return all rows of one kind in the lake's present state."""
        frames = [pl.read_parquet(self.home / "lake" / f["path"]) for f in self.manifest["files"].get(kind, []) if f["rows"]]
        return pl.concat(frames) if frames else pl.DataFrame()

    @cached_property
    def observations(self) -> pl.DataFrame:
        return self.lake("observations")

    @cached_property
    def areas(self) -> pl.DataFrame:
        return self.lake("areas")

    @cached_property
    def events(self) -> pl.DataFrame:
        return self.lake("events")

    @cached_property
    def conflicts(self) -> pl.DataFrame:
        return self.lake("conflicts")

    @cached_property
    def quarantine(self) -> pl.DataFrame:
        return self.lake("quarantine")

    def rows(self, case: Case) -> list[Row]:
        """Return the good rows of a case as they stand in the lake."""
        if case.into == "areas":
            return self.areas.filter(pl.col("ref_area").str.starts_with(f"{case.id}:")).select("ref_area", "name").rows()
        if case.into == "events":
            moment = pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%S")
            return self.events.filter(pl.col("source") == case.id).select("id", "title", moment).rows()
        mine = (pl.col("source") == case.id) & (pl.col("measure") == case.id) & (pl.col("obs_status") != "Q")
        good = self.observations.filter(mine)
        if self.conflicts.height:  # cells that rows of the source contradict each other in stay out of the warehouse
            good = good.join(self.conflicts, on=self.conflicts.columns, how="anti")
        return good.select("ref_area", "obs_value", "time_period").rows()

    def differences(self, case: Case) -> list[str]:
        """Say where the home differs from the whole outcome of `case`."""
        outcome, counts, error = case.outcome, self.counts.get(case.id, {}), self.errors.get(case.id, "")
        if outcome.refused is not None:
            left = self.rows(case)
            found = [] if outcome.refused in error else [f"refused because {outcome.refused!r} is due, found {error or 'no error'!r}"]
            return found + ([f"a refused snapshot left {left}"] if left else [])
        said = [f"refused: {error}"] if error else []
        due, there = sorted(map(repr, map(_full, outcome.rows))), sorted(map(repr, map(_full, self.rows(case))))
        if due != there:
            said.append(f"good rows {due} are due, found {there}")
        said += self._quarantined(case)
        whole = [b.row for b in outcome.bad if b.column is None]
        partly = {b.row for b in outcome.bad if b.column is not None}
        accepted = len(outcome.rows) + len(partly)
        expected = (accepted, len(whole), sum(outcome.ignored.values()), accepted + len(whole) + sum(outcome.ignored.values()))
        found_counts = tuple(counts.get(name) for name in ("rows_accepted", "rows_quarantined", "rows_ignored", "rows_read"))
        if expected != found_counts:
            said.append(f"accepted, quarantined, ignored, read: {expected} are due, found {found_counts}")
        if counts.get("ignored") != outcome.ignored:
            said.append(f"ignored {outcome.ignored} are due, found {counts.get('ignored')}")
        return said

    def _quarantined(self, case: Case) -> list[str]:
        mine = self.quarantine.filter(pl.col("source") == case.id) if self.quarantine.width else self.quarantine
        left = [(row["row_number"], row["column"], row["reason"]) for row in mine.to_dicts()]
        said = []
        for bad in case.outcome.bad:
            fitting = [r for r in left if r[:2] == (bad.row, bad.column)]
            if fitting:
                left.remove(fitting[0])
            if not fitting or bad.reason not in fitting[0][2]:
                said.append(f"row {bad.row} {bad.column or ''}: {bad.reason!r} is due in quarantine, found {fitting}")
        return said + [f"nobody expects in quarantine: {row}" for row in left]


def _full(row: Row) -> Row:
    """Return the row of an outcome as the lake has it: with its period, and with one zero only."""
    if len(row) == 2 and not isinstance(row[1], str):
        row = (*row, PERIOD)
    return tuple(0.0 if value == 0 else value for value in row)
