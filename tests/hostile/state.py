"""The state of a home after the run of the corpus, and its differences from the declared outcomes."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tests.hostile.case import PERIOD, Case, Row


class State:
    """The state of a home after a run. It is read once for all cases."""

    def __init__(self, home: Path, counts: dict[str, Any], errors: dict[str, str]) -> None:
        self.home = home
        self.counts = counts  # of each source, as the run reported them
        self.errors = errors  # why the current snapshot of a source is not used
        self.manifest: dict[str, Any] = json.loads((home / "manifests" / "current.json").read_text(encoding="utf-8"))

    def lake(self, kind: str) -> pl.DataFrame:
        """Return all rows of one kind in the current state of the lake."""
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
        """Return the good rows of a case in the lake."""
        if case.into == "areas":
            return self.areas.filter(pl.col("ref_area").str.starts_with(f"{case.id}:")).select("ref_area", "name").rows()
        if case.into == "events":
            moment = pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%S")
            return self.events.filter(pl.col("source") == case.id).select("id", "title", moment).rows()
        mine = (pl.col("source") == case.id) & (pl.col("measure") == case.id) & (pl.col("obs_status") != "Q")
        good = self.observations.filter(mine)
        if self.conflicts.height:  # cells for which rows of the source disagree do not reach the warehouse
            good = good.join(self.conflicts, on=self.conflicts.columns, how="anti")
        return good.select("ref_area", "obs_value", "time_period").rows()

    def differences(self, case: Case) -> list[str]:
        """Return one line for each difference from the outcome of `case`."""
        outcome, counts, error = case.outcome, self.counts.get(case.id, {}), self.errors.get(case.id, "")
        if outcome.refused is not None:
            left = self.rows(case)
            faults = (
                [] if outcome.refused in error else [f"expected to be refused because {outcome.refused!r}, not {error or 'accepted'!r}"]
            )
            return faults + ([f"a refused snapshot left {left}"] if left else [])
        lines = [f"refused: {error}"] if error else []
        expected_rows, rows = sorted(map(repr, map(_full, outcome.rows))), sorted(map(repr, map(_full, self.rows(case))))
        if expected_rows != rows:
            lines.append(f"expected the good rows {expected_rows}, not {rows}")
        lines += self._quarantined(case)
        whole = [b.row for b in outcome.bad if b.column is None]
        partly = {b.row for b in outcome.bad if b.column is not None}
        accepted = len(outcome.rows) + len(partly)
        expected = (accepted, len(whole), sum(outcome.ignored.values()), accepted + len(whole) + sum(outcome.ignored.values()))
        run_counts = tuple(counts.get(name) for name in ("rows_accepted", "rows_quarantined", "rows_ignored", "rows_read"))
        if expected != run_counts:
            lines.append(f"accepted, quarantined, ignored, read: expected {expected}, not {run_counts}")
        if counts.get("ignored") != outcome.ignored:
            lines.append(f"ignored: expected {outcome.ignored}, not {counts.get('ignored')}")
        return lines

    def _quarantined(self, case: Case) -> list[str]:
        mine = self.quarantine.filter(pl.col("source") == case.id) if self.quarantine.width else self.quarantine
        left = [(row["row_number"], row["column"], row["reason"]) for row in mine.to_dicts()]
        lines = []
        for bad in case.outcome.bad:
            fitting = [r for r in left if r[:2] == (bad.row, bad.column)]
            if fitting:
                left.remove(fitting[0])
            if not fitting or bad.reason not in fitting[0][2]:
                lines.append(f"row {bad.row} {bad.column or ''}: expected {bad.reason!r} in quarantine, not {fitting}")
        return lines + [f"unexpected in quarantine: {row}" for row in left]


def _full(row: Row) -> Row:
    """Return the row of an outcome in the form of the lake: with its period, and with 0.0 for -0.0."""
    if len(row) == 2 and not isinstance(row[1], str):
        row = (*row, PERIOD)
    return tuple(0.0 if value == 0 else value for value in row)
