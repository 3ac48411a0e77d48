"""README.md of a release: what it is, its tables, how to query it, whom to credit. For people; machines have other documents."""

from __future__ import annotations

from exports.formats.query_macros import questions
from exports.metadata.text import NO_LICENCE, cell, is_web, licence_url, release_url
from exports.model.info import Context
from pipelines.core.vocabulary import STATUSES

PATH = "README.md"


def descriptor(context: Context) -> dict[str, bytes]:
    parts = [_head(context), _tables(context), _statuses(), _query(context), _files(), _licence(context)]
    return {PATH: ("\n\n".join(parts) + "\n").encode()}


def _head(context: Context) -> str:
    info = context.info
    publisher = info.publisher.get("name")
    lines = [
        f"# {info.text(info.title)}",
        "",
        f"Indicators of sustainability and cohesion for the territory {info.country}, release {context.version} of {info.timestamp[:10]}"
        + (f", published by {info.text(publisher)}." if publisher else "."),
        "A release never changes; beside the releases `latest.json` names the current one, and `feed.atom` tells of new and withdrawn ones.",
    ]
    if url := release_url(info.base_uri, context.version):
        lines.append(f"Its address is <{url}>.")
    return "\n".join(lines)


def _tables(context: Context) -> str:
    lines = ["## Tables", "", "| table | rows | key | what it holds |", "| --- | ---: | --- | --- |"]
    for table in context.tables:
        key = ", ".join(f"`{name}`" for name in table.key)
        lines.append(f"| `{table.name}` | {context.rows[table.name]} | {key} | {cell(table.description)} |")
    return "\n".join(
        [
            *lines,
            "",
            "Every column is described in `datapackage.json`, in the metadata beside each CSV file and in the comments of the DuckDB file.",
            "Rows are sorted by their key. Numbers are rounded to 12 significant digits. In a CSV file nothing between two commas is a",
            'missing value, `""` an empty text. A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return has an apostrophe',
            "before it, so that no spreadsheet runs it as a formula.",
        ]
    )


def _statuses() -> str:
    rows = [f"| {code} | {status.name} | {status.presence} |" for code, status in STATUSES.items()]
    return "\n".join(
        [
            "## Missing values",
            "",
            "`obs_status` says why a value is missing, or what is to be known about it (`codelists/obs_status.csv`):",
            "",
            "| status | meaning | value |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


def _query(context: Context) -> str:
    names = [table.name for table in context.tables]
    name = "indicator_values" if "indicator_values" in names else names[0] if names else "table"
    return f"""## How to query

DuckDB, from its own file or from Parquet:

```sql
-- duckdb -readonly indicators.duckdb
select * from {name} limit 10;
select table_name, column_name, comment from duckdb_columns() where not internal;
select * from 'parquet/{name}.parquet' limit 10;
```

{_questions(context)}pandas:

```python
import pandas as pd

values = pd.read_parquet("parquet/{name}.parquet")
```

R:

```r
values <- arrow::read_parquet("parquet/{name}.parquet")
```

A spreadsheet: open a file of `csv/` as UTF-8 with the comma as separator and the point as decimal sign."""


def _questions(context: Context) -> str:
    """Return what can be asked of the DuckDB file beside its tables."""
    asked = questions(context.tables, context.info.languages)
    if not asked:
        return ""
    lines = ["Common questions, in the DuckDB file (after `use`, where it was attached):", "", "| ask | for |", "| --- | --- |"]
    for question in asked:
        call = f"({', '.join(question.parameters)})" if question.parameters else ""
        lines.append(f"| `from {question.name}{call}` | {cell(question.description)} |")
    return "\n".join(lines) + "\n\n"


def _files() -> str:
    return "\n".join(
        [
            "## Files",
            "",
            "| path | what it is |",
            "| --- | --- |",
            "| `csv/`, `parquet/` | the tables, one file each, with the same rows |",
            "| `indicators.duckdb` | the same tables for DuckDB 1.0 and later, the view `revisions` of revised values, answers to common questions |",
            "| `datapackage.json` | Data Package, version 2 |",
            "| `catalog.ttl`, `catalog.jsonld` | the release as a catalogue, DCAT-AP 3.0.1; `nkod/`, `sk/` for national catalogues |",
            "| `schema-org.jsonld` | the release for search engines, schema.org |",
            "| `prov.ttl` | which bytes and which code made it, PROV-O |",
            "| `dqv.ttl` | measurements of its quality, DQV |",
            "| `CITATION.cff` | how to cite it |",
            "| `csv/by_indicator/` | the rows of `indicator_values`, one file an indicator: a spreadsheet ends at 1,048,576 rows |",
            "| `latest_values.xlsx` | the latest values as a workbook, with notes on the indicators |",
            "| `sdmx/` | the values in SDMX-CSV 2.0, one file an indicator; `structure.xml` has the data structure and the code lists |",
            "| `jsonstat/` | the values in JSON-stat 2.0, one file an indicator |",
            "| `geo/` | the areas that have a point, as GeoParquet and GeoJSON; there are no boundaries |",
            "| `croissant.json` | Croissant 1.1, for machine learning |",
            "| `codelists/` | code lists |",
            "| `quality/report.json` | what was checked before publication |",
            "| `CHANGELOG.md` | what is different from the release before; the table `changes` has every cell of it |",
            "| `provenance.json` | digests of what this release was made from |",
            "| `SHA256SUMS` | checksums; `sha256sum -c SHA256SUMS` checks them |",
        ]
    )


def _licence(context: Context) -> str:
    info = context.info
    url = licence_url(info.licence)
    own = f"[{info.licence}]({url})" if url else "no licence is asserted" if info.licence == NO_LICENCE else info.licence
    lines = [
        "## Licence and attribution",
        "",
        f"This release: {own}. It is made from these sources, each under its own licence:",
        "",
    ]
    for source in info.sources:
        link = licence_url(source["licence"])
        licence = f"[{source['licence']}]({link})" if link else source["licence"]
        words = info.text(source.get("citation")) or f"{info.text(source['publisher'])}: {info.text(source['title'])}"
        page = f", <{source['homepage']}>" if is_web(source.get("homepage")) else ""
        lines.append(f"* `{source['id']}` {words} ({licence}){page}")
    return "\n".join(lines if info.sources else [*lines[:2], f"This release: {own}."])
