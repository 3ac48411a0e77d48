"""CSV on the Web: for each folder of CSV files a `csv-metadata.json` with their columns, types, keys and references.

The document is a group of tables, one for each file. The tables in other folders that they refer to follow, because validators need them. Every
table has its schema, also where several have the same: readers such as `csvw` do not look for one at the group.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exports.metadata import codelist, rights
from exports.metadata.text import in_languages, licence_url, to_json
from exports.model import layout, sdmx
from exports.model.info import Context, ForeignKey
from exports.model.tables import Column, Table
from exports.model.topic_table import newest_table

DATATYPES = {"VARCHAR": "string", "DOUBLE": "double", "BIGINT": "long"}
DIALECT = {
    "encoding": "utf-8",
    "delimiter": ",",
    "quoteChar": '"',
    "doubleQuote": True,
    "lineTerminators": ["\n"],
    "header": True,
    "headerRowCount": 1,
}
CONCEPTS = {
    "ref_area": "http://purl.org/linked-data/sdmx/2009/dimension#refArea",
    "time_period": "http://purl.org/linked-data/sdmx/2009/dimension#timePeriod",
    "sex": "http://purl.org/linked-data/sdmx/2009/dimension#sex",
    "age": "http://purl.org/linked-data/sdmx/2009/dimension#age",
    "obs_value": "http://purl.org/linked-data/sdmx/2009/measure#obsValue",
    "obs_status": "http://purl.org/linked-data/sdmx/2009/attribute#obsStatus",
    "unit_measure": "http://purl.org/linked-data/sdmx/2009/attribute#unitMeasure",
    "lat": "http://www.w3.org/2003/01/geo/wgs84_pos#lat",
    "lon": "http://www.w3.org/2003/01/geo/wgs84_pos#long",
    "licence": "http://purl.org/dc/terms/license",
    "publisher": "http://purl.org/dc/terms/publisher",
}
"""The meaning of columns by name, in all tables."""
STATISTICAL = "sdmx"


@dataclass(frozen=True)
class CsvFile:
    """A CSV file with its columns. Files of one folder whose tables have the same name are parts of one table."""

    path: str
    table: Table


def descriptor(context: Context) -> dict[str, bytes]:
    """Return the metadata of every CSV file and of every code list, by folder."""
    files = [CsvFile(codelist.path(table.name), table) for table in codelist.tables(context.info.languages)]
    files += [CsvFile(path, table) for table in context.tables for path in layout.csv_paths(table, context.files)]
    for topic in context.data_sets:
        path = layout.topic_csv_path(topic.id)
        if path in context.files and (topic_columns := newest_table(context, topic)):
            files.append(CsvFile(path, topic_columns))
    files += [
        CsvFile(path, sdmx.DATA) for path in sorted(context.files) if posixpath.dirname(path) == STATISTICAL and path.endswith(".csv")
    ]
    folders: dict[str, list[CsvFile]] = {}
    for file in files:
        folders.setdefault(layout.metadata_path(file.path), []).append(file)
    return {path: to_json(describe(context, group)) for path, group in folders.items()}


def describe(context: Context, files: Sequence[CsvFile]) -> dict[str, Any]:
    """Return the metadata of CSV files, which are in one folder."""
    info = context.info
    here = posixpath.dirname(files[0].path)
    tables = {file.table.name: file.table for file in files}
    keys = {name: _references(context, table) for name, table in tables.items()}
    others = {key.to_table: _target(context, key.to_table) for own in keys.values() for key in own}
    schemas = {name: _schema(table, keys[name], here, others, info.languages) for name, table in tables.items()}
    name = here if len(tables) > 1 else _name(files[0].path if len(files) == 1 else here)
    value: dict[str, Any] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": info.languages[0]}],
        "dc:title": [{"@value": f"{text}: {name}", "@language": lang} for lang, text in info.title.items()],
    }
    if len(tables) == 1:
        value |= _about(context, files[0].table)
    if info.publisher.get("name"):
        value["dc:publisher"] = info.text(info.publisher["name"])
    value["dialect"] = DIALECT
    own = {file.path for file in files}
    value["tables"] = [
        *(
            {"url": posixpath.basename(file.path)}
            | (_about(context, file.table) if len(tables) > 1 else {})
            | {"tableSchema": schemas[file.table.name]}
            for file in files
        ),
        *(
            {"url": posixpath.relpath(to, here), "suppressOutput": True, "tableSchema": _schema(other, (), here, others, info.languages)}
            for to, other in dict(others.values()).items()
            if to not in own
        ),
    ]
    return value


def _about(context: Context, table: Table) -> dict[str, Any]:
    """Return description and licence of the rows of a table."""
    value: dict[str, Any] = {"dc:description": _tagged(table.descriptions, context.info.languages)}
    if url := licence_url(rights.licence_of_table(context, table)):
        value["dc:license"] = {"@id": url}
    return value


def _name(path: str) -> str:
    """Return a short name for a file."""
    return posixpath.splitext(path.removeprefix("csv/"))[0]


def _references(context: Context, table: Table) -> list[ForeignKey]:
    """Return the references of `table` to other tables and to the code lists."""
    if table.name in codelist.NAMES or table is sdmx.DATA:
        return []
    listed = [
        ForeignKey(table.name, column.name, column.name, codelist.KEY)
        for column in table.columns
        if column.name in codelist.NAMES and column.type == "VARCHAR"
    ]
    known = context.foreign_keys if table in context.tables else ()  # a topic may have the name of a table
    return [key for key in known if key.table == table.name] + listed


def _target(context: Context, name: str) -> tuple[str, Table]:
    """Return the path and the columns of a table or code list that others refer to."""
    code_list = next((table for table in codelist.tables(context.info.languages) if table.name == name), None)
    if code_list:
        return codelist.path(name), code_list
    return layout.csv_path(name), next(table for table in context.tables if table.name == name)


def _tagged(texts: Mapping[str, str], languages: Sequence[str]) -> list[dict[str, str]]:
    """Return the texts in the languages of the pack and in English, each with its language."""
    return [{"@value": text, "@language": language} for language, text in in_languages(texts, languages).items()]


def _schema(
    table: Table, keys: Sequence[ForeignKey], here: str, others: Mapping[str, tuple[str, Table]], languages: Sequence[str]
) -> dict[str, Any]:
    value: dict[str, Any] = {
        "columns": [_column(table, column, languages) for column in table.columns],
        "primaryKey": [column_name(name) for name in table.key],
        "aboutUrl": "#" + "/".join(f"{{{column_name(name)}}}" for name in table.key),
    }
    if keys:
        value["foreignKeys"] = [
            {
                "columnReference": column_name(key.column),
                "reference": {"resource": posixpath.relpath(others[key.to_table][0], here), "columnReference": column_name(key.to_column)},
            }
            for key in keys
        ]
    return value


def _column(table: Table, column: Column, languages: Sequence[str]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "name": column_name(column.name),
        "titles": _titles(column, languages),
        "dc:description": _tagged(column.descriptions, languages),
        "datatype": _datatype(column),
    }
    if concept := CONCEPTS.get(column.name.lower()):
        value["propertyUrl"] = concept
    if column.unit:
        value["schema:unitText"] = _tagged(column.units, languages) if column.unit_translations else column.unit
    if column.name in table.key:
        value["required"] = True
        if column.type == "VARCHAR":
            value["null"] = []  # an empty key is an empty text, not a missing one
    return value


def _titles(column: Column, languages: Sequence[str]) -> Any:
    """Return the head of a column in the file, in each language after that for people: a validator accepts one of them."""
    titles = {language: [title, column.name] for language, title in in_languages(column.titles, languages).items() if title != column.name}
    return titles or column.name


def _datatype(column: Column) -> Any:
    """Return the type, with the bounds or values that are checked, if any."""
    base = DATATYPES[column.type]
    bounds = {"minimum": column.minimum, "maximum": column.maximum}
    stated: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    if column.values:
        stated["format"] = "|".join(re.escape(value) for value in column.values)
    return {"base": base, **stated} if stated else base


def kinds(columns: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the name and the base type of each described column."""
    return [
        (column["name"], column["datatype"]["base"] if isinstance(column["datatype"], dict) else column["datatype"]) for column in columns
    ]


def column_name(name: str) -> str:
    """Return `name` as CSVW allows it: characters other than letters, digits, _ and . become percent-encoded bytes."""
    return re.sub(r"[^A-Za-z0-9_.]", lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), name)
