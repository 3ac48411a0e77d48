"""What a consumer of the published tables may rely on, as Great Expectations suites. Rules of rows and models have their own places.

Great Expectations takes seconds to import: only the gate's step imports this module's library, inside the function that runs it.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.core.vocabulary import PUBLISHED_SEXES, STATUSES
from quality.gate import CheckResult

ALLOWED_STATUSES = list(STATUSES)
ALLOWED_SEXES = list(PUBLISHED_SEXES)


@dataclass(frozen=True)
class Promise:
    """One expectation of one table: its name, the columns it needs, and its arguments."""

    kind: str
    arguments: Mapping[str, Any]

    @property
    def columns(self) -> list[str]:
        found = [v for k, v in self.arguments.items() if k in ("column", "column_A", "column_B")]
        return [*found, *self.arguments.get("column_list", [])]


def not_null(column: str) -> Promise:
    return Promise("ExpectColumnValuesToNotBeNull", {"column": column})


def one_of(column: str, values: list[str]) -> Promise:
    return Promise("ExpectColumnValuesToBeInSet", {"column": column, "value_set": values})


def between(column: str, low: float | None, high: float | None) -> Promise:
    return Promise("ExpectColumnValuesToBeBetween", {"column": column, "min_value": low, "max_value": high})


def rows(low: int) -> Promise:
    return Promise("ExpectTableRowCountToBeBetween", {"min_value": low})


PROMISES: dict[str, list[Promise]] = {
    "areas": [rows(1), not_null("level"), between("lat", -90, 90), between("lon", -180, 180), between("area_km2", 0, None)],
    "area_parents": [not_null("parent")],
    "area_codes": [not_null("ref_area")],
    "indicators": [one_of("collected", ["true", "false"]), one_of("direction", ["higher_better", "lower_better", "target", "none"])],
    "indicator_values": [
        one_of("obs_status", ALLOWED_STATUSES), one_of("sex", ALLOWED_SEXES), between("coverage", 0, 1), not_null("unit_measure"), not_null("level"),
    ],
    "latest_values": [not_null("level")],
    "sustainability": [one_of("obs_status", ALLOWED_STATUSES), between("rank", 1, None), between("n_available", 0, None)],
    "community": [one_of("obs_status", ALLOWED_STATUSES), between("rank", 1, None), between("n_available", 0, None)],
    "index_components": [one_of("obs_status", ALLOWED_STATUSES), one_of("imputed", ["true", "false"])],
    "cohesion_dispersion": [one_of("obs_status", ALLOWED_STATUSES), one_of("sex", ALLOWED_SEXES), between("coverage", 0, 1), between("n", 0, None)],
    "gender_gaps": [one_of("obs_status", ALLOWED_STATUSES), between("parity_distance", 0, 1)],
    "coverage": [between("expected", 1, None), between("available", 0, None)],
    "sources": [between("rows_read", 0, None), not_null("licence")],
    "snapshots": [between("bytes", 1, None), not_null("sha256")],
}  # fmt: skip
"""By table. A table without an entry is held to its row count only."""


def check_name(table: str) -> str:
    return f"table:{table}"


def warm_up() -> None:
    """Import the validator's library, which takes seconds, ahead of its use."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: F401


def validate(warehouse: Path, tables: Iterable[str], rows_before: Mapping[str, int]) -> list[CheckResult]:
    """Validate the published tables, one suite a table, and return one result for each.

    `rows_before` has the row counts of the last release: a table that lost rows fails. A result that is an exception of the
    validator's is told as such: it is our error, not one of the data.
    """
    warm_up()
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        source = context.data_sources.add_pandas("marts")
        results = []
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            for table in tables:
                promises = list(PROMISES.get(table, []))
                if rows_before.get(table):
                    promises.append(rows(rows_before[table]))
                needed = sorted({c for p in promises for c in p.columns}) or ["1 as there"]
                frame = connection.execute(f"select {', '.join(needed)} from marts.{table}").df()
                suite = gx.ExpectationSuite(name=table)
                for promise in promises or [rows(0)]:
                    suite.add_expectation(getattr(gx.expectations, promise.kind)(**promise.arguments))
                batch = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
                results.append(_result(table, batch.validate(suite, result_format="SUMMARY")))
        return results


def _result(table: str, outcome: Any) -> CheckResult:
    faults = []
    for item in outcome.results:
        if item.success:
            continue
        config = item.expectation_config
        words = ", ".join(f"{k} {v}" for k, v in config.kwargs.items() if k in ("column", "min_value", "max_value", "value_set"))
        if item.exception_info and any(e.get("raised_exception") for e in _exceptions(item.exception_info)):
            text = next(e["exception_message"] for e in _exceptions(item.exception_info) if e.get("raised_exception"))
            faults.append(f"{config.type} ({words}) could not be evaluated: {text}")
        else:
            found = item.result.get("observed_value", item.result.get("partial_unexpected_list", [])[:3])
            faults.append(f"{config.type} ({words}): found {found}")
    return CheckResult(check_name(table), not faults, "error", "; ".join(faults))


def _exceptions(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [info] if "raised_exception" in info else [v for v in info.values() if isinstance(v, Mapping)]
