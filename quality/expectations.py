"""What a consumer of the published tables relies on, as Great Expectations suites: row counts across releases, and what no dbt test checks.

The tests of dbt check keys, references, statuses, and the bounds that stand in the YAML of a mart: no suite repeats them.
Great Expectations takes seconds to import, so the functions here import it when they run.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from pipelines.core.imports import ImportedWhenUsed, stand_ins
from pipelines.core.vocabulary import PUBLISHED_SEXES
from quality.gate import CheckResult


@dataclass(frozen=True)
class Expectation:
    """One expectation on a table: the name of its class in Great Expectations and its arguments."""

    type: str
    arguments: Mapping[str, Any]

    @property
    def columns(self) -> list[str]:
        """The columns of the table that the expectation reads."""
        return [self.arguments["column"]] if "column" in self.arguments else []


def not_null(column: str) -> Expectation:
    """Expect a value in every row."""
    return Expectation("ExpectColumnValuesToNotBeNull", {"column": column})


def one_of(column: str, values: list[str]) -> Expectation:
    """Expect one of `values`, or null."""
    return Expectation("ExpectColumnValuesToBeInSet", {"column": column, "value_set": values})


def between(column: str, low: float | None, high: float | None) -> Expectation:
    """Expect values from `low` to `high`, both included, or null; None is no bound."""
    return Expectation("ExpectColumnValuesToBeBetween", {"column": column, "min_value": low, "max_value": high})


def row_count(low: int) -> Expectation:
    """Expect at least `low` rows."""
    return Expectation("ExpectTableRowCountToBeBetween", {"min_value": low})


INDEX_SCORES = [between("rank", 1, None), between("n_available", 0, None)]
EXPECTATIONS: dict[str, list[Expectation]] = {
    "areas": [row_count(1), not_null("level"), between("area_km2", 0, None)],
    "area_codes": [not_null("ref_area")],
    "indicators": [one_of("collected", ["true", "false"]), one_of("direction", ["higher_better", "lower_better", "target", "none"])],
    "indicator_values": [one_of("sex", list(PUBLISHED_SEXES)), not_null("unit_measure"), not_null("level")],
    "latest_values": [not_null("level")],
    "sustainability": INDEX_SCORES,
    "community": INDEX_SCORES,
    "cohesion_dispersion": [one_of("sex", list(PUBLISHED_SEXES)), between("n", 0, None)],
    "comparisons": [one_of("sex", list(PUBLISHED_SEXES)), not_null("outcome")],
    "trends": [one_of("sex", list(PUBLISHED_SEXES)), not_null("trend")],
    "objective_measures": [between("indicators", 0, None), between("indicators_with_data", 0, None)],
    "coverage": [between("expected", 1, None), between("available", 0, None)],
    "sources": [between("rows_read", 0, None), not_null("licence")],
    "snapshots": [between("bytes", 1, None), not_null("sha256")],
}
"""By table. Of a table without an entry only the row count is checked."""


ROWS_FOLLOW_VALUES = ("cohesion_convergence", "cohesion_dispersion", "comparisons", "progress", "trends")
"""Tables with rows only where indicators have values. They may lose rows when an indicator loses values, which does not fail the gate."""


OTHER_VERSION = "another version of the software made the last release, so this is a warning"


FOR_CHARTS_AND_DISTRIBUTIONS = ("altair", "scipy.stats")
"""What Great Expectations imports for expectations that no suite here has, two fifths of the seconds of its import.

Nor does it need boto3, nor pyspark, which can be installed for the other engine, and which ends a process whose main module has no file.
"""


def check_name(table: str) -> str:
    """Return the name under which the gate expects the result of a table."""
    return f"table:{table}"


def warm_up() -> None:
    """Import Great Expectations, which takes seconds, before it is needed."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    unneeded: dict[str, ModuleType | None] = {name: ImportedWhenUsed(name) for name in FOR_CHARTS_AND_DISTRIBUTIONS}
    with warnings.catch_warnings(), stand_ins({"boto3": None, "pyspark": None, **unneeded}):
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: F401


def validate_tables(
    warehouse: Path,
    tables: Iterable[str],
    last_row_counts: Mapping[str, int],
    memory: int | None = None,
    *,
    is_comparable: bool = True,
) -> list[CheckResult]:
    """Validate the published tables, and return one result per table. `memory` is what DuckDB may use, in bytes.

    `last_row_counts` are those of the last release: a table with fewer rows fails. That is a warning where the counts are not
    comparable, because another version of the software published them: it may publish other rows from the same inputs.

    Great Expectations gets the number of rows and the distinct values of the columns of a suite, never the rows of a table: an expectation
    on single cells holds for all rows if it holds for the distinct ones. Where Great Expectations itself raises an exception, the result
    says so, because the fault is in this project and not in the data.
    """
    warm_up()
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import pandas

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        # one asset for all frames: each asset more makes Great Expectations write its whole configuration twice
        frames = context.data_sources.add_pandas("marts").add_dataframe_asset("frames").add_batch_definition_whole_dataframe("all")
        suites = count()

        def faults_of(expectations: list[Expectation], frame: pandas.DataFrame) -> list[str]:
            suite = gx.ExpectationSuite(name=f"suite_{next(suites)}")
            for expectation in expectations:
                suite.add_expectation(getattr(gx.expectations, expectation.type)(**expectation.arguments))
            return _faults(frames.get_batch({"dataframe": frame}).validate(suite, result_format="SUMMARY"))

        results = []
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            if memory is not None:
                connection.execute(f"set memory_limit = '{memory >> 10}KiB'")
            for table in tables:
                ((rows,),) = connection.execute(f"select count(*) from marts.{table}").fetchall()
                counted = [e for e in EXPECTATIONS.get(table, []) if not e.columns]
                on_cells = [e for e in EXPECTATIONS.get(table, []) if e.columns]
                no_fewer, numbers = row_count(last_row_counts.get(table, 0)), pandas.DataFrame(index=range(rows))
                parts = [([*counted, no_fewer] if is_comparable else counted, numbers)]
                if on_cells:
                    columns = ", ".join(sorted({column for e in on_cells for column in e.columns}))
                    parts.append((on_cells, connection.execute(f"select distinct {columns} from marts.{table}").df()))
                faults = [fault for expected, frame in parts for fault in faults_of(expected, frame)]
                warned = [] if is_comparable or faults else [f"{fault}; {OTHER_VERSION}" for fault in faults_of([no_fewer], numbers)]
                severity = "warn" if warned else "error"
                results.append(CheckResult(check_name(table), not (faults or warned), severity, "; ".join(faults or warned)))
        return results


def _faults(validation: Any) -> list[str]:
    faults = []
    for item in validation.results:
        if item.success:
            continue
        config = item.expectation_config
        arguments = ", ".join(f"{k} {v}" for k, v in config.kwargs.items() if k in ("column", "min_value", "max_value", "value_set"))
        exceptions = [e["exception_message"] for e in _exceptions(item.exception_info or {}) if e.get("raised_exception")]
        if exceptions:
            faults.append(f"{config.type} ({arguments}) could not be evaluated: {exceptions[0]}")
        else:
            observed = item.result.get("observed_value", item.result.get("partial_unexpected_list", [])[:3])
            faults.append(f"{config.type} ({arguments}): found {observed}")
    return faults


def _exceptions(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [info] if "raised_exception" in info else [v for v in info.values() if isinstance(v, Mapping)]
