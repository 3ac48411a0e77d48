"""Verify a release folder offline and list its faults. Only reads; nothing that a folder contains makes it raise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exports.metadata import croissant, csvw, datapackage, dcat, rdf, report
from exports.metadata.catalogue import CATALOG_TTL, DUCKDB
from exports.model import checksums, layout
from exports.model.info import FileFacts, ForeignKey
from exports.model.topics import FURTHER
from exports.verify.csv_metadata import metadata_path

if TYPE_CHECKING:
    from exports.model.connection import Limits
    from exports.verify.formats import DescribedTable

REQUIRED = (datapackage.PATH, croissant.PATH, "README.md", "CHANGELOG.md", report.PATH, CATALOG_TTL, dcat.JSON_LD)
BY_INDICATOR = "csv/by_indicator"
"""A folder that releases of earlier versions of the software have; its files are only compared with their checksums."""
FactsOf = Callable[[str], FileFacts]


def verify(release_dir: Path, limits: Limits | None = None, linked: Mapping[str, FileFacts] | None = None) -> list[str]:
    """Return one line for each fault of the release in `release_dir`; no line means that it is whole.

    `linked` are files of an earlier, verified release whose checksums were just computed: they are not read again where another linked
    file would be the only one to compare with. Files are read in batches, except for the workbook and GeoJSON, which have one row per area.

    These are the checks:

    * Every file matches SHA256SUMS, and no file is missing or unlisted.
    * The CSV files of each table equal its Parquet file in values, types and rows. It is sorted by its key; keys are unique and never null.
    * Each file of a partitioned table has the rows of one indicator, whose name it has.
    * The DuckDB file, if there is one, has the same tables and rows, and comments on all of them.
    * The descriptors match the columns, their order, their types and the keys; references hold.
    * The table `changes` fits the other tables, and the previous release if it is in the same folder.
    * Derived formats (topics, cubes, workbook, maps, views and macros, files for programs) have the same values, if they exist.
    * The site has the values of the files for programs, and its pages lead only to files that exist.
    * The boundaries of areas, if there are any, are valid polygons of the current areas, in each of their files.
    * The catalogue lists every table file with its size and checksum, and has the same content in both of its formats.
    """
    from exports.model.connection import Limits  # Arrow and DuckDB are slow to import
    from exports.verify import api, changes, derived, formats, site, topics

    folder = Path(release_dir)
    if not folder.is_dir():
        return [f"{folder}: no such folder"]
    limits = limits or Limits()
    linked = linked or {}
    facts = cache(lambda path: linked.get(path) or checksums.facts(folder / path))
    faults = checksums.faults(folder, facts)
    reported = {fault.partition(":")[0] for fault in faults}
    faults += [f"{path}: missing" for path in REQUIRED if path not in reported and not (folder / path).is_file()]
    tables: list[DescribedTable] = []
    faults += _faults(datapackage.PATH, partial(_describe, folder, tables, facts))
    if not tables:
        return faults
    faults += [fault for fault in _files(folder, tables) if fault.partition(":")[0] not in reported]
    rows: dict[str, int] = {}
    distinct: dict[tuple[str, str], Any] = {}
    for table in tables:
        if all((folder / path).is_file() for path in (*table.csv_files, table.parquet)):
            faults += _faults(table.parquet, partial(formats.schema_faults, folder, table))
            if linked.keys() >= {*table.csv_files, table.parquet}:
                faults += _faults(table.parquet, partial(formats.read_references, folder, table, rows, distinct))
            else:
                faults += _faults(table.csv, partial(formats.value_faults, folder, table, rows, distinct))
    for path, described in _descriptions(folder, tables).items():
        if (folder / path).is_file():
            faults += _faults(path, partial(_csvw, folder, described, path))
    faults += [fault for key in _foreign_keys(tables) for fault in formats.reference_faults(key, distinct)]
    if (folder / DUCKDB).is_file():
        faults += _faults(DUCKDB, partial(formats.duckdb_faults, folder, DUCKDB, tables, limits))
        faults += _faults(DUCKDB, partial(derived.query_faults, folder, DUCKDB))
    faults += _faults("parquet/changes.parquet", partial(changes.faults, folder, tables, limits))
    if (folder / dcat.JSON_LD).is_file():
        faults += _faults(dcat.JSON_LD, partial(_catalogue, folder, tables, rows, facts))
    for table in tables:
        for name, path, check in (
            ("indicator_values", "sdmx, jsonstat", partial(derived.cube_faults, linked=linked)),
            ("indicator_values", layout.TOPICS, partial(topics.topic_faults, limits=limits, linked=linked)),
            ("latest_values", "workbook", derived.workbook_faults),
            ("areas", "geo", derived.map_faults),
        ):
            if table.name == name and (folder / table.parquet).is_file():
                faults += _faults(path, partial(check, folder, table))
    faults += _faults("geo", partial(_boundaries, folder))
    faults += _faults(layout.API, partial(api.faults, folder))
    faults += _faults(layout.SITE, partial(site.faults, folder))
    if (folder / croissant.PATH).is_file():
        faults += _faults(croissant.PATH, partial(_croissant, folder, tables))
    if (folder / report.PATH).is_file():
        faults += _faults(report.PATH, partial(_report, folder, rows))
    return faults


def _faults(path: str, check: Callable[[], Iterator[str]]) -> list[str]:
    """Return the faults of one check. If the check itself fails on the file, that is a fault, too."""
    faults: list[str] = []
    try:
        faults.extend(check())
    except Exception as error:
        faults.append(f"{path}: cannot be read: {type(error).__name__}: {' '.join(str(error).split())}")
    return faults


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _describe(folder: Path, tables: list[DescribedTable], facts_of: FactsOf) -> Iterator[str]:
    """Add the tables of datapackage.json to `tables`."""
    from exports.verify.formats import DescribedTable

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
        path, name = resource.get("path", []), resource["name"]
        csv_files = (path,) if isinstance(path, str) else tuple(path)
        table = DescribedTable(name, fields, tuple(schema["primaryKey"]), tuple(keys), csv_files, partitioned=not isinstance(path, str))
        if unknown := [name for name in table.key if name not in fields]:
            yield f"{datapackage.PATH}: the key of {table.name} has unknown fields: {', '.join(unknown)}"
            continue
        tables.append(table)
        if table.partitioned:
            yield from _partitions(table)
            continue
        facts = facts_of(table.csv) if (folder / table.csv).is_file() else None
        if path != table.csv:
            yield f"{datapackage.PATH}: the path of {table.name} is {path}, expected {table.csv}"
        if facts and (resource["bytes"], resource["hash"]) != (facts.bytes, f"sha256:{facts.sha256}"):
            yield f"{datapackage.PATH}: size or hash of {table.name} differs from {table.csv}"
    if not tables:
        yield f"{datapackage.PATH}: describes no table"


def _partitions(table: DescribedTable) -> Iterator[str]:
    """Check the paths of a table that has a file for each indicator."""
    if list(table.csv_files) != sorted(set(table.csv_files)):
        yield f"{datapackage.PATH}: the paths of {table.name} are not sorted or not distinct"
    for path in table.csv_files:
        if not path.endswith(".csv") or path.rpartition("/")[0] != table.csv:
            yield f"{datapackage.PATH}: {path} is a path of {table.name}, expected a CSV file in {table.csv}"


def _files(folder: Path, tables: list[DescribedTable]) -> Iterator[str]:
    """Check that every table has its files and their metadata, and that there are no files of other tables."""
    expected = {path for table in tables for path in (*table.csv_files, table.parquet)} | set(_descriptions(folder, tables))
    files = set(checksums.files(folder))
    table_files = {path for path in files if path.startswith(("csv/", "parquet/")) and not path.startswith(f"{BY_INDICATOR}/")}
    for path in sorted(expected - table_files):
        yield f"{path}: missing"
    for path in sorted(table_files - expected):
        yield f"{path}: {datapackage.PATH} has no such table"
    csv_files = [path for path in sorted(files) if path.endswith(".csv") and not path.startswith(f"{layout.LOCALIZED_CSV}/")]
    for path in sorted({metadata_path(folder, path) for path in csv_files} - files - expected):
        yield f"{path}: missing"


def _descriptions(folder: Path, tables: list[DescribedTable]) -> dict[str, list[DescribedTable]]:
    """Return the tables with CSV files that each metadata document must describe."""
    documents: dict[str, list[DescribedTable]] = {}
    for table in tables:
        if table.csv_files:
            documents.setdefault(metadata_path(folder, table.csv_files[0]), []).append(table)
    return documents


def _csvw(folder: Path, tables: list[DescribedTable], path: str) -> Iterator[str]:
    document = _json(folder / path)
    described = [value for value in document.get("tables", [document]) if not value.get("suppressOutput")]
    expected = {Path(csv_file).name: table for table in tables for csv_file in table.csv_files}
    if [value["url"] for value in described] != list(expected):
        yield f"{path}: describes {', '.join(value['url'] for value in described)}"
        return
    for (name, table), value in zip(expected.items(), described, strict=True):
        schema = value["tableSchema"]
        columns = [(csvw.column_name(column), csvw.DATATYPES[kind]) for column, kind in table.types.items()]
        if csvw.kinds(schema["columns"]) != columns:
            yield f"{path}: columns or types of {name} differ from {datapackage.PATH}"
        if schema["primaryKey"] != [csvw.column_name(column) for column in table.key]:
            yield f"{path}: the key of {name} differs from {datapackage.PATH}"


def _catalogue(folder: Path, tables: list[DescribedTable], rows: Mapping[str, int], facts_of: FactsOf) -> Iterator[str]:
    """Check that distributions and files match, with size and checksum, and that the Turtle file has the same content."""
    graph = rdf.from_json_ld((folder / dcat.JSON_LD).read_bytes())
    if (folder / CATALOG_TTL).is_file() and (folder / CATALOG_TTL).read_bytes() != graph.turtle():
        yield f"{CATALOG_TTL}: differs from {dcat.JSON_LD}"
    address = dcat.release_address(graph)
    named: set[str] = set()
    for node in graph.nodes:
        for url in rdf.objects(graph, node, "dcat:downloadURL"):
            path = url.removeprefix(address)
            named.add(path)
            if not (folder / path).is_file():
                yield f"{dcat.JSON_LD}: {url} is not a file of this release"
                continue
            sizes = list(rdf.objects(graph, node, "dcat:byteSize"))
            sums = [value for sum_ in rdf.objects(graph, node, "spdx:checksum") for value in rdf.objects(graph, sum_, "spdx:checksumValue")]
            facts = facts_of(path)
            if path == DUCKDB:
                if sizes or sums:
                    yield f"{dcat.JSON_LD}: states the size or checksum of {path}, whose bytes differ from build to build"
            elif (sizes, sums) != ([str(facts.bytes)], [facts.sha256]):
                yield f"{dcat.JSON_LD}: size or checksum of {path} differs from the file"
    whole = {table for topic in FURTHER for table in topic.tables}
    expected = {table.parquet for table in tables}
    expected |= {path for table in tables if table.name in whole and rows.get(table.name) for path in table.csv_files}
    expected |= {path for path in checksums.files(folder) if path.startswith(f"{layout.TOPICS}/") and path.endswith((".csv", ".parquet"))}
    for path in sorted(expected - named):
        yield f"{dcat.JSON_LD}: does not list {path}"


def _croissant(folder: Path, tables: list[DescribedTable]) -> Iterator[str]:
    """Check that every table file is listed with its checksum, and that every table is a record set with its columns."""
    value = _json(folder / croissant.PATH)
    sums = {file["@id"]: file["sha256"] for file in value["distribution"]}
    expected = checksums.read(folder)
    fields = {records["name"]: [field["name"] for field in records["field"]] for records in value["recordSet"]}
    for table in tables:
        for path in (*table.csv_files, table.parquet):
            if sums.get(path) != expected.get(path):
                yield f"{croissant.PATH}: the checksum of {path} differs from the file"
        if fields.get(table.name) != list(table.types):
            yield f"{croissant.PATH}: the fields of {table.name} differ from {datapackage.PATH}"


def _boundaries(folder: Path) -> Iterator[str]:
    files = {path for path in checksums.files(folder) if path.startswith("geo/")}
    if any(layout.is_of_boundaries(path) for path in files) and (folder / "parquet/areas.parquet").is_file():
        from exports.verify import boundaries  # shapely is slow to import, and few packs have boundaries

        yield from boundaries.faults(folder, files)


def _foreign_keys(tables: list[DescribedTable]) -> Iterator[ForeignKey]:
    for table in tables:
        yield from table.foreign_keys


def _report(folder: Path, rows: Mapping[str, int]) -> Iterator[str]:
    reported = _json(folder / report.PATH)["rows"]
    for name in sorted(set(rows) | set(reported)):
        if name in rows and reported.get(name) != rows[name]:
            yield f"{report.PATH}: states {reported.get(name)} rows of {name}, but there are {rows[name]}"
        elif name not in rows:
            yield f"{report.PATH}: states {reported[name]} rows of {name}, which could not be counted"
