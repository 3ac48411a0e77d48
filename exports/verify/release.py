"""Check a release folder offline and name each fault. Reads only; raises on nothing that a folder may contain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exports.metadata import croissant, csvw, datapackage, dcat, rdf, report
from exports.metadata.catalogue import CATALOGUE
from exports.model import checksums
from exports.model.info import ForeignKey

if TYPE_CHECKING:
    from exports.verify.formats import Described

DUCKDB = "indicators.duckdb"
REQUIRED = (datapackage.PATH, croissant.PATH, "README.md", "CHANGELOG.md", report.PATH, DUCKDB, CATALOGUE, dcat.JSON_LD)
BY_INDICATOR = csvw.PART


def verify(release_dir: Path) -> list[str]:
    """Return one line for each fault of the release in `release_dir`; no line says that it is whole.

    Checks: every file against SHA256SUMS, none missing or surplus; each CSV file equal to its Parquet file in values,
    types and rows, sorted by its key, keys unique and never null; the DuckDB file with the same tables, rows and
    comments; descriptors that match the columns, their order, their types and keys, and references that hold; the table `changes`
    against the other tables, and against the release before where that lies beside this one; further forms of the tables (by
    indicator, workbook, maps, questions), where they are there, with the same values; a catalogue that names every table file with
    its size and checksum, and says the same in both its forms.
    """
    from exports.verify import changes as consistency
    from exports.verify import derived
    from exports.verify import formats as comparison  # Arrow and DuckDB

    folder = Path(release_dir)
    if not folder.is_dir():
        return [f"{folder}: no such folder"]
    faults = checksums.faults(folder)
    named = {fault.partition(":")[0] for fault in faults}
    faults += [f"{path}: missing" for path in REQUIRED if path not in named and not (folder / path).is_file()]
    tables: list[Described] = []
    faults += _found(datapackage.PATH, partial(_describe, folder, tables))
    if not tables:
        return faults
    faults += [fault for fault in _files(folder, tables) if fault.partition(":")[0] not in named]
    rows: dict[str, int] = {}
    distinct: dict[tuple[str, str], Any] = {}
    for table in tables:
        if (folder / table.csv).is_file() and (folder / table.parquet).is_file():
            faults += _found(table.parquet, partial(comparison.schema_faults, folder, table))
            faults += _found(table.csv, partial(comparison.value_faults, folder, table, rows, distinct))
        if (folder / table.csvw).is_file():
            faults += _found(table.csvw, partial(_csvw, folder, table))
    faults += [fault for key in _foreign_keys(tables) for fault in comparison.reference_faults(key, distinct)]
    if (folder / DUCKDB).is_file():
        faults += _found(DUCKDB, partial(comparison.duckdb_faults, folder, DUCKDB, tables))
        faults += _found(DUCKDB, partial(derived.question_faults, folder, DUCKDB))
    faults += _found("parquet/changes.parquet", partial(consistency.faults, folder, tables))
    if (folder / dcat.JSON_LD).is_file():
        faults += _found(dcat.JSON_LD, partial(_catalogue, folder, tables))
    for table in tables:
        for name, form, check in (
            ("indicator_values", BY_INDICATOR, derived.by_indicator_faults),
            ("indicator_values", "sdmx, jsonstat", derived.cube_faults),
            ("latest_values", "latest_values.xlsx", derived.workbook_faults),
            ("areas", "geo", derived.map_faults),
        ):
            if table.name == name and (folder / table.parquet).is_file():
                faults += _found(form, partial(check, folder, table))
    if (folder / croissant.PATH).is_file():
        faults += _found(croissant.PATH, partial(_croissant, folder, tables))
    if (folder / report.PATH).is_file():
        faults += _found(report.PATH, partial(_report, folder, rows))
    return faults


def _found(path: str, check: Callable[[], Iterator[str]]) -> list[str]:
    """Return the faults of one check. Where the check itself breaks on the file, that is a fault, with its reason."""
    found: list[str] = []
    try:
        found.extend(check())
    except Exception as error:
        found.append(f"{path}: cannot be read: {type(error).__name__}: {' '.join(str(error).split())}")
    return found


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _describe(folder: Path, tables: list[Described]) -> Iterator[str]:
    """Put the tables of datapackage.json into `tables`."""
    from exports.verify.formats import Described

    if not (folder / datapackage.PATH).is_file():
        return
    types = {field: column for column, field in datapackage.FIELD_TYPES.items()}
    for resource in _json(folder / datapackage.PATH)["resources"]:
        schema = resource["schema"]
        keys = [
            ForeignKey(
                resource["name"],
                key["fields"][0],
                key["reference"]["resource"],
                key["reference"]["fields"][0],
            )
            for key in schema.get("foreignKeys", [])
        ]
        fields = {field["name"]: types[field["type"]] for field in schema["fields"]}
        table = Described(resource["name"], fields, tuple(schema["primaryKey"]), tuple(keys))
        if unknown := [name for name in table.key if name not in fields]:
            yield f"{datapackage.PATH}: the key of {table.name} names no field: {', '.join(unknown)}"
            continue
        tables.append(table)
        facts = checksums.facts(folder / table.csv) if (folder / table.csv).is_file() else None
        if resource["path"] != table.csv:
            yield f"{datapackage.PATH}: the path of {table.name} is {resource['path']}, expected {table.csv}"
        if facts and (resource["bytes"], resource["hash"]) != (facts.bytes, f"sha256:{facts.sha256}"):
            yield f"{datapackage.PATH}: size or hash of {table.name} is not that of {table.csv}"
    if not tables:
        yield f"{datapackage.PATH}: describes no table"


def _files(folder: Path, tables: list[Described]) -> Iterator[str]:
    """Every table has its three files, and there are no files of other tables."""
    expected = {path for table in tables for path in (table.csv, table.parquet, table.csvw)}
    everything = set(checksums.files(folder))
    there = {path for path in everything if path.startswith(("csv/", "parquet/")) and not path.startswith(f"{BY_INDICATOR}/")}
    for path in sorted(expected - there):
        yield f"{path}: missing"
    for path in sorted(there - expected):
        yield f"{path}: of no table in {datapackage.PATH}"
    for path in sorted(everything):
        if path.endswith(".csv") and path + csvw.SUFFIX not in everything | expected:
            yield f"{path + csvw.SUFFIX}: missing"


def _csvw(folder: Path, table: Described) -> Iterator[str]:
    value = _json(folder / table.csvw)
    value = value.get("tables", [value])[0]
    expected = {name: csvw.DATATYPES[kind] for name, kind in table.types.items()}
    if value["url"] != Path(table.csv).name:
        yield f"{table.csvw}: is about {value['url']}"
    if csvw.kinds(value["tableSchema"]["columns"]) != list(expected.items()):
        yield f"{table.csvw}: columns or their types are not those of {datapackage.PATH}"
    if value["tableSchema"]["primaryKey"] != [csvw.column_name(name) for name in table.key]:
        yield f"{table.csvw}: the key is not that of {datapackage.PATH}"


def _catalogue(folder: Path, tables: list[Described]) -> Iterator[str]:
    """Each distribution is a file of this folder, with its size and checksum; each table file is a distribution; Turtle says the same."""
    graph = rdf.from_json_ld((folder / dcat.JSON_LD).read_bytes())
    if (folder / CATALOGUE).is_file() and (folder / CATALOGUE).read_bytes() != graph.turtle():
        yield f"{CATALOGUE}: does not say the same as {dcat.JSON_LD}"
    named: set[str] = set()
    for node in graph.nodes:
        for url in rdf.objects(graph, node, "dcat:downloadURL"):
            path = url.removeprefix(node.partition(f"{CATALOGUE}#")[0])
            named.add(path)
            if not (folder / path).is_file():
                yield f"{dcat.JSON_LD}: {url} is no file of this release"
                continue
            sizes = list(rdf.objects(graph, node, "dcat:byteSize"))
            sums = [value for sum_ in rdf.objects(graph, node, "spdx:checksum") for value in rdf.objects(graph, sum_, "spdx:checksumValue")]
            facts = checksums.facts(folder / path)
            if path == DUCKDB:
                if sizes or sums:
                    yield f"{dcat.JSON_LD}: states size or checksum of {path}, whose bytes are not always the same"
            elif (sizes, sums) != ([str(facts.bytes)], [facts.sha256]):
                yield f"{dcat.JSON_LD}: size or checksum of {path} is not that of the file"
    for path in sorted({path for table in tables for path in (table.csv, table.parquet)} - named):
        yield f"{dcat.JSON_LD}: does not name {path}"


def _croissant(folder: Path, tables: list[Described]) -> Iterator[str]:
    """Every table file is named with its checksum, every table is a record set with its columns."""
    value = _json(folder / croissant.PATH)
    sums = {file["@id"]: file["sha256"] for file in value["distribution"]}
    there = checksums.read(folder)
    fields = {records["name"]: [field["name"] for field in records["field"]] for records in value["recordSet"]}
    for table in tables:
        for path in (table.csv, table.parquet):
            if sums.get(path) != there.get(path):
                yield f"{croissant.PATH}: the checksum of {path} is not that of the file"
        if fields.get(table.name) != list(table.types):
            yield f"{croissant.PATH}: the fields of {table.name} are not the columns of {datapackage.PATH}"


def _foreign_keys(tables: list[Described]) -> Iterator[ForeignKey]:
    for table in tables:
        yield from table.foreign_keys


def _report(folder: Path, rows: Mapping[str, int]) -> Iterator[str]:
    said = _json(folder / report.PATH)["rows"]
    for name in sorted(set(rows) | set(said)):
        if name in rows and said.get(name) != rows[name]:
            yield f"{report.PATH}: says {said.get(name)} rows of {name}, but there are {rows[name]}"
        elif name not in rows:
            yield f"{report.PATH}: says {said[name]} rows of {name}, which could not be counted"
