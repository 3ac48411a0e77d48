"""Which measures and indicators a run has to compute again: those whose key differs from the one stored with their rows.

The key of a measure covers everything that can change a row of its observations. The key of an indicator covers everything that can change
one of its values: its declaration and the keys of the measures that it reads. A third key covers what all rows depend on: the territory,
the weights of its areas, the age groups, and the versions of the code. If that one differs, the warehouse is built from nothing.

The warehouse itself holds the keys. A run deletes the keys in its scope before it changes a row, and stores the new ones after the last
model. So wherever a run ends, the next one computes everything again that has no valid key.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import polars as pl
from pydantic import Field

from pipelines.core import atomic, checksums, versions
from pipelines.core.fingerprint import digest
from pipelines.core.sql import literal
from pipelines.core.state import StateFile
from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.manifest import Manifest
from pipelines.lake.store import File
from pipelines.warehouse import condition, dbt, spark_tables, suppression
from pipelines.warehouse.condition import WarehouseError

TABLE = "main.valid_keys"
LIBRARIES = {"duckdb": ("duckdb", "dbt-core", "dbt-duckdb"), "spark": ("pyspark", "dbt-core", "dbt-spark")}
"""The libraries that compute the rows, by engine."""
TERRITORY = ("areas", "area_gaps", "area_parents", "area_changes", "levels", "level_parents", "pack")
OBSERVED = ("ref_area", "time_period", "sex", "age", "obs_value", "obs_status", "aggregate", "row_count", "by_sex", "note")
"""The columns of observations that can change a number, besides source and measure. The snapshot of a row and its position in it cannot."""
KEY_COLUMNS = {"kind": pl.String, "name": pl.String, "key": pl.String}
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Keys:
    """The key of what all rows depend on, and the keys of the single measures and indicators, by name."""

    common: str
    measures: Mapping[str, str]
    indicators: Mapping[str, str]

    def rows(self) -> pl.DataFrame:
        """Return the keys as a table of kinds, names and keys."""
        kinds = {"all": {"": self.common}, "measure": self.measures, "indicator": self.indicators}
        rows = [(kind, name, key) for kind, keys in kinds.items() for name, key in keys.items()]
        return pl.DataFrame(rows, schema=KEY_COLUMNS, orient="row")


class FileDigests(StateFile):
    """The digests of files of observations, by the checksum of the file, and their age groups. They hold for one version of DuckDB."""

    CURE: ClassVar[str] = "the files are hashed again"

    library: str = ""
    measures: dict[str, list[tuple[str, str, int, str]]] = Field(default_factory=dict)
    ages: dict[str, list[str]] = Field(default_factory=dict)

    def totals(self, files: Iterable[File]) -> dict[tuple[str, str], tuple[int, int]]:
        """Return, for each source and measure in `files`, the number of its rows and the sum of their hashes.

        The measure '' stands for rows that only say that an area reports.
        """
        totals: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for file in files:
            for source, measure, rows, hashes in self.measures[file.sha256]:
                counted = totals[source, measure]
                totals[source, measure] = (counted[0] + rows, counted[1] + int(hashes))
        return totals


class ScopeError(WarehouseError):
    """The warehouse cannot be changed."""


def begin(workspace: WorkspaceFolder, memory: int, *, in_part: bool = False) -> Keys:
    """Prepare the warehouse for the models: list what is unchanged, delete the keys of all the rest, and return the keys to store at the end.

    The models change a copy of the file. Processes that have the old file open continue to read it. `memory` limits DuckDB, in bytes. Raises
    ScopeError where another process writes to the warehouse, where a file of the lake is missing or damaged, and where a run builds the
    warehouse only `in_part` although no row can be kept, or on Spark.
    """
    check_lake(workspace)
    suppression.forget(workspace)
    atomic.cleanup_temp(workspace.root, recursive=False)  # the copy that a killed run left
    keys = current_keys(workspace, memory)
    stored = _stored_keys(workspace.warehouse)
    on_spark = workspace.settings.engine == "spark"
    if on_spark and in_part:
        raise ScopeError("on Spark the warehouse is built as a whole: select all models, not a part of them")
    if on_spark and not spark_tables.are_valid(workspace):
        stored = stored.clear()
    unchanged = keys.rows().join(stored, on=["kind", "name", "key"], how="semi")
    if unchanged.filter(kind="all").is_empty():
        if in_part:
            raise ScopeError(f"no table of the warehouse can be kept, so that it cannot be built in part: {condition.CURE}")
        condition.forget_built(workspace)
        unchanged = unchanged.clear()
        spark_tables.remove(workspace)
        workspace.warehouse.unlink(missing_ok=True)
        _log_of(workspace.warehouse).unlink(missing_ok=True)
        with duckdb.connect(str(workspace.warehouse)) as warehouse:
            warehouse.execute(f"create table {TABLE} (kind varchar, name varchar, key varchar)")
    else:
        condition.forget_built(workspace)
        _copy_with_keys(workspace.warehouse, unchanged)
        if on_spark:
            spark_tables.set_aside(workspace)
    workspace.dbt.mkdir(parents=True, exist_ok=True)
    with atomic.atomic_write(dbt.unchanged_path(workspace)) as path:
        unchanged.write_parquet(path)
    return keys


def finish(workspace: WorkspaceFolder, keys: Keys) -> None:
    """Store the keys of all rows, which are complete now."""
    if workspace.settings.engine == "spark":
        spark_tables.finish(workspace)
    with duckdb.connect(str(workspace.warehouse)) as warehouse:
        _replace_keys(warehouse, keys.rows())
    condition.note_built(workspace)


def check_lake(workspace: WorkspaceFolder) -> None:
    """Raise ScopeError unless the files of the lake have the checksums that the manifest names. Damaged files are set aside.

    The digests of files are kept by these checksums, so this comes before they are used.
    """
    files = [file for of_kind in Manifest.current(workspace).files.values() for file in of_kind]
    lost = sorted({file.path for file in files if not checksums.is_intact(workspace.lake / file.path, file.sha256)})
    for path in lost:
        if (workspace.lake / path).is_file():
            checksums.set_aside_with_log(workspace.lake / path)
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise ScopeError(f"lake/{lost[0]}{more}: missing or damaged on the disk; `zpo2 run` makes it again from the archive")


def check_built(workspace: WorkspaceFolder) -> None:
    """Raise ScopeError unless there is a warehouse with rows to keep, so that a part of it can be built again from the rest."""
    if _stored_keys(workspace.warehouse).filter(kind="all").is_empty():
        raise ScopeError(f"{workspace.warehouse}: there is no whole warehouse that a part could be built from; {condition.CURE}")


def is_complete(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether all rows of the warehouse are those of its last run. One that dbt has built by itself keeps no keys, and counts as complete."""
    if not connection.execute(f"select 1 from duckdb_tables() where schema_name || '.' || table_name = {literal(TABLE)}").fetchall():
        return True
    query = f"select 1 from staging.stg_indicators where indicator not in (select name from {TABLE} where kind = 'indicator') limit 1"
    return not connection.execute(query).fetchall()


def keys_of_parts(workspace: WorkspaceFolder, manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return for each incremental mart, and in it for each indicator, a digest of everything that its rows are made from.

    The rows of the other marts can change with any input.
    """
    stored = {(kind, name): key for kind, name, key in _stored_keys(workspace.warehouse).iter_rows()}
    keys = {name: digest([stored.get(("all", "")), key]) for (kind, name), key in stored.items() if kind == "indicator"}
    marts = [n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts"]
    return {node["alias"]: keys for node in marts if node["config"]["materialized"] == "incremental"}


def _replace_keys(warehouse: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> None:
    warehouse.begin()
    warehouse.execute(f"delete from {TABLE}")
    warehouse.register("new_keys", rows.to_arrow())
    warehouse.execute(f"insert into {TABLE} select kind, name, key from new_keys")
    warehouse.unregister("new_keys")
    warehouse.commit()


def _stored_keys(warehouse: Path) -> pl.DataFrame:
    """Return the keys in the warehouse; none where there is no warehouse, or nothing that can be read."""
    none = pl.DataFrame(schema=KEY_COLUMNS)
    if not warehouse.is_file():
        return none
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            rows = connection.execute(f"select kind, name, key from {TABLE}").fetchall()
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise ScopeError(f"{warehouse}: another process has it open for writing; end that process, then run again") from None
        return none
    return pl.DataFrame(rows, schema=KEY_COLUMNS, orient="row")


def _copy_with_keys(warehouse: Path, unchanged: pl.DataFrame) -> None:
    """Replace the file of the warehouse by a copy that has no keys but these."""
    log = _log_of(warehouse)
    with atomic.atomic_write(warehouse, sync=False) as copy:
        shutil.copyfile(warehouse, copy)
        if log.is_file():  # a killed run left it
            shutil.copyfile(log, _log_of(copy))
        try:
            with duckdb.connect(str(copy)) as connection:
                _replace_keys(connection, unchanged)
                connection.execute("checkpoint")
        finally:
            _log_of(copy).unlink(missing_ok=True)
        log.unlink(missing_ok=True)


def _log_of(warehouse: Path) -> Path:
    """Return the file in which DuckDB keeps changes that the database file itself does not have yet."""
    return warehouse.with_name(f"{warehouse.name}.wal")


def current_keys(workspace: WorkspaceFolder, memory: int) -> Keys:
    """Return the keys of the current state of the lake."""
    manifest = Manifest.current(workspace)
    observations = manifest.files.get("observations", [])
    tables = {
        kind: _rows(workspace, manifest, kind)
        for kind in ("pack", "measures", "breaks", "indicators", "indicator_levels", "convergence_spans", "terms", "down", "notes")
    }
    with duckdb.connect(config={"memory_limit": f"{memory >> 10}KiB"}) as connection:
        digests = _file_digests(connection, workspace, observations)
        conflicts = _table_digests(connection, workspace, manifest, "conflicts", ["source", "measure"], OBSERVED[:4])
        universe = _table_digests(connection, workspace, manifest, "universe", ["source"], ["ref_area"])
        area_notes = _table_digests(connection, workspace, manifest, "area_notes", ["source", "measure"], ["note", "ref_area"])
    measures = _keys_of_measures(tables, digests.totals(observations), conflicts, universe, area_notes)
    weight = tables["pack"][0]["weight"] if tables["pack"] else None
    common = digest(
        [
            versions.LAKE, versions.WAREHOUSE, dbt.project_digest(), {name: version(name) for name in LIBRARIES[workspace.settings.engine]},
            workspace.settings.engine,
            {kind: [file.sha256 for file in manifest.files.get(kind, [])] for kind in TERRITORY},
            sorted({age for file in observations for age in digests.ages[file.sha256]}),
            measures.get(weight or ""),
        ]
    )  # fmt: skip
    return Keys(common, measures, _keys_of_indicators(tables, measures))


def _keys_of_measures(
    tables: Mapping[str, Rows],
    observed: Mapping[tuple[str, str], Any],
    conflicts: Mapping[tuple[str, ...], Any],
    universe: Mapping[tuple[str, ...], Any],
    area_notes: Mapping[tuple[str, ...], Any],
) -> dict[str, str]:
    declared, breaks, down = (
        _grouped(tables[name], by) for name, by in (("measures", "measure"), ("breaks", "measure"), ("down", "source"))
    )
    notes = {name: [{**row, "texts": None} for row in rows] for name, rows in _grouped(tables["notes"], "source").items()}
    in_formulas = {row[column] for row in tables["terms"] for column in ("measure", "times")}
    in_formulas |= {row[column] for row in tables["indicators"] for column in ("interval_n", "interval_sd", "weight")}

    def facts(measure: str) -> list[Any]:
        """The breaks of a measure, and what its sources say of it, without what they say of other measures."""
        by_source = [
            [row["source"], row, observed.get((row["source"], measure)), conflicts.get((row["source"], measure)),
             observed.get((row["source"], "")), universe.get((row["source"],)), down.get(row["source"]),
             notes.get(row["source"]), area_notes.get((row["source"], measure))]
            for row in declared.get(measure, [])
        ]  # fmt: skip
        return [breaks.get(measure), by_source]

    # areas that changed are restated with the weights of a measure
    return {
        measure: digest([facts(measure), measure in in_formulas, [facts(row["weighted_by"]) for row in rows if row["weighted_by"]]])
        for measure, rows in declared.items()
    }


def _keys_of_indicators(tables: Mapping[str, Rows], measures: Mapping[str, str]) -> dict[str, str]:
    levels, spans, terms = (_grouped(tables[name], "indicator") for name in ("indicator_levels", "convergence_spans", "terms"))
    keys = {}
    for row in tables["indicators"]:
        name = row["indicator"]
        inputs = {measure for term in terms.get(name, []) for measure in (term["measure"], term["times"]) if measure}
        inputs |= {measure for measure in (row["interval_n"], row["interval_sd"], row["weight"]) if measure}
        declaration = {**row, "position": None}  # the position only orders lists
        keys[name] = digest(
            [declaration, levels.get(name), spans.get(name), terms.get(name), {measure: measures.get(measure) for measure in inputs}]
        )
    # what is suppressed of an indicator can depend on all that are protected together with it
    for members in _grouped([row for row in tables["indicators"] if row["protected_with"]], "protected_with").values():
        together = digest(sorted((row["indicator"], keys[row["indicator"]]) for row in members))
        keys |= {row["indicator"]: digest([keys[row["indicator"]], together]) for row in members}
    return keys


def _grouped(rows: Rows, column: str) -> dict[Any, Rows]:
    groups: dict[Any, Rows] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return {key: sorted(group, key=digest) for key, group in groups.items()}


def _rows(workspace: WorkspaceFolder, manifest: Manifest, kind: str) -> Rows:
    return [row for file in manifest.files.get(kind, []) for row in pl.read_parquet(workspace.lake / file.path).to_dicts()]


def _file_digests(connection: duckdb.DuckDBPyConnection, workspace: WorkspaceFolder, files: Sequence[File]) -> FileDigests:
    """Return the digests of files of observations. Those that were read before are not read again."""
    path = workspace.dbt / "measures.json"
    stored = FileDigests.load_if_whole(path) or FileDigests()
    result = FileDigests(library=duckdb.__version__)
    new: dict[str, str] = {}
    for file in files:
        if file.sha256 in result.measures:
            continue  # two files with the same bytes
        if stored.library == result.library and file.sha256 in stored.measures:
            result.measures[file.sha256], result.ages[file.sha256] = stored.measures[file.sha256], stored.ages[file.sha256]
        else:
            new[str(workspace.lake / file.path)] = file.sha256
            result.measures[file.sha256], result.ages[file.sha256] = [], []
    if new:
        paths = ", ".join(map(literal, new))
        query = (
            f"select filename, source, coalesce(measure, ''), count(*), cast(sum(hash({', '.join(OBSERVED)})::hugeint) as varchar), "
            f"list(distinct age) from read_parquet([{paths}], filename = true) group by all"
        )
        ages: dict[str, set[str]] = defaultdict(set)
        for name, source, measure, rows, total, own in connection.execute(query).fetchall():
            result.measures[new[name]].append((source, measure, rows, total))
            ages[new[name]].update(age for age in own if age is not None)
        result.ages.update({sha256: sorted(own) for sha256, own in ages.items()})
        result.save(path)
    return result


def _table_digests(
    connection: duckdb.DuckDBPyConnection,
    workspace: WorkspaceFolder,
    manifest: Manifest,
    kind: str,
    by: Sequence[str],
    columns: Iterable[str],
) -> dict[tuple[str, ...], tuple[int, int]]:
    paths = [str(workspace.lake / file.path) for file in manifest.files.get(kind, [])]
    if not paths:
        return {}
    query = (
        f"select {', '.join(by)}, count(*), sum(hash({', '.join(columns)})::hugeint) "
        f"from read_parquet([{', '.join(map(literal, paths))}]) group by {', '.join(by)}"
    )
    return {tuple(row[: len(by)]): (row[-2], row[-1]) for row in connection.execute(query).fetchall()}
