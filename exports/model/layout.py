"""Where the files of the published tables are in a release. Knows names; reads and writes no file.

Every table is one Parquet file. As CSV, a table is one file, except that the tables in PARTITIONED have a file for each indicator: all of
them have the same header, and one after the other, in the order of their names, they are the table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath

from exports.model.errors import ReleaseError
from exports.model.tables import NAME, Table

PART = "indicator"
"""A table whose key begins with this column and has others is divided by it: parts that did not change are not written again."""
PARTITIONED = ("comparisons", "indicator_values")
"""The tables with a CSV file for each indicator, whatever their size, so that an address never depends on it."""
LOCALIZED_CSV = "csv_locale"
"""The folder of the CSV files that are written as the spreadsheets of a language expect them."""
GEO_PARQUET, GEO_JSON = "geo/areas.parquet", "geo/areas.geojson"
GEO_TABLE = "areas"
"""The map files, and the table whose areas they have."""
JSON_STAT, SDMX = "jsonstat", "sdmx"
"""The folders of the files of each indicator."""
TOPICS = "topics"
"""The folder of the files of each topic."""
DATASETS = "datasets"
"""The folder of data sets below the address of the releases: their lasting addresses, and their landing pages."""
API = "api/v1"
"""The folder of the files for programs. A change that breaks their readers needs a new folder."""
SITE = "site"
"""The folder of the web site inside a release."""
SITE_START = "site/index.html"
"""The page that leads to the site in its first language."""
API_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
METADATA = "csv-metadata.json"
FORMER_METADATA = "-metadata.json"
"""CSV on the Web looks for the metadata of a file under its name with the second ending, which releases of earlier versions have, then under the
first name in the same folder."""
INDEX = "index.html"
"""A page, in the first language of the pack. Links name it, because not every server opens it for the address of its folder."""
STYLE = "index.css"
"""The style sheet of the pages, in a release and beside the releases."""
PAGES = "pages.json"
"""What the pages beside a release say about it."""
LATEST_FOLDER = "latest"
"""The folder beside the releases that leads to the current one. It holds pages and descriptors, and no data."""
LATEST_SCRIPT = "latest/latest.js"
LATEST_DESCRIPTORS = ("catalog.ttl", "catalog.jsonld", "datapackage.json", "api.json")
"""The files of the current release that are also in LATEST_FOLDER, if they name files by addresses of the release."""
LATEST_CATALOGUES = ("nkod", "sk")
"""The folders of national catalogues, whose records have addresses in LATEST_FOLDER."""


def is_divided(table: Table) -> bool:
    return table.key[0] == PART and len(table.key) > 1


def is_partitioned(table: Table) -> bool:
    return table.name in PARTITIONED and is_divided(table)


def parquet_path(table: str) -> str:
    return f"parquet/{table}.parquet"


def csv_path(table: str) -> str:
    """Return the path of a table that is one CSV file."""
    return f"csv/{table}.csv"


def csv_folder(table: str) -> str:
    """Return the folder of a table that has a CSV file for each indicator."""
    return f"csv/{table}"


def part_path(table: str, part: str) -> str:
    """Return the path of the CSV file of one indicator. Raises ReleaseError if its name cannot be a file name."""
    if not NAME.fullmatch(part):
        raise ReleaseError(f"{table}: the {PART} {part!r} cannot be a file name; use letters, digits and _")
    return f"{csv_folder(table)}/{part}.csv"


def part_of(path: str) -> str:
    """Return the indicator whose rows are in a file of a partitioned table."""
    return PurePosixPath(path).stem


def csv_paths(table: Table, files: Iterable[str]) -> list[str]:
    """Return those of `files` that are the CSV files of `table`, in the order of its rows. A partitioned table without rows has none."""
    if not is_partitioned(table):
        return [csv_path(table.name)]
    return sorted(path for path in files if path.startswith(f"{csv_folder(table.name)}/") and path.endswith(".csv"))


def workbook_path(pack: str, language: str) -> str:
    """Return the path of the workbook of one language."""
    return f"{pack}_{language}.xlsx"


def localized_csv_path(language: str) -> str:
    """Return the path of the newest values as spreadsheets of one language expect them."""
    return f"{LOCALIZED_CSV}/latest_values_{language}.csv"


def jsonstat_path(indicator: str) -> str:
    return f"{JSON_STAT}/{indicator}.json"


def sdmx_path(indicator: str) -> str:
    return f"{SDMX}/{indicator}.csv"


def topic_csv_path(topic: str) -> str:
    """Return the path of the newest values of a topic."""
    return f"{TOPICS}/{topic}.csv"


def topic_parquet_path(topic: str) -> str:
    """Return the path of the values of a topic in all periods."""
    return f"{TOPICS}/{topic}.parquet"


def dataset_address(root: str, dataset: str) -> str:
    """Return the lasting identifier of a data set, the same in every release. `root` is the address of the releases, with `/` at its end."""
    return f"{root}{DATASETS}/{dataset}"


def landing_path(dataset: str) -> str:
    """Return the path of the landing page of a data set, beside the releases."""
    return f"{DATASETS}/{dataset}/index.html"


def api_path(*parts: str) -> str:
    """Return the path of a JSON file for programs: folders and a name below `api/v1`. Raises ReleaseError if one cannot be a file name."""
    for part in parts:
        if not API_NAME.fullmatch(part):
            raise ReleaseError(f"{API}: {part!r} cannot be a file name; use letters, digits, _ and -")
    return f"{API}/{'/'.join(parts)}.json"


def has_site(formats: Iterable[str], files: Collection[str]) -> bool:
    """Return whether a release of these formats has a site, given its other files. The site reads the files for programs."""
    return SITE in formats and api_path("index") in files


def site_page(language: str, kind: str = "index") -> str:
    """Return the path of a page of the site."""
    return f"{SITE}/{language}/{kind}.html"


def landing_folder(dataset: str) -> str:
    """Return the folder of the landing page and the feed of a data set, beside the releases."""
    return f"{DATASETS}/{dataset}/"


def index_path(language: str, languages: Sequence[str]) -> str:
    """Return the name of a page in one of the `languages` of a pack."""
    return INDEX if language == languages[0] else f"index.{language}.html"


def metadata_path(path: str) -> str:
    """Return the path of the metadata of a CSV file: those of all files of its folder."""
    return str(PurePosixPath(path).with_name(METADATA))


FILE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
"""What an identifier of an area must be to be the name of a file."""
BOUNDARIES = "geo/boundaries.json"
"""The list of the files of boundaries, and of the areas that have none."""


def boundaries_path(level: str) -> str:
    """Return the path of the boundaries of a level for maps."""
    return f"geo/{level}.topojson"


def boundaries_parquet_path(level: str) -> str:
    """Return the path of the boundaries of a level in full detail."""
    return f"geo/boundaries_{level}.parquet"


def boundaries_part_path(level: str, area: str) -> str | None:
    """Return the path of the boundaries of a level inside one area of a coarser one, or None if its identifier cannot be a file name."""
    return f"geo/{level}/{area}.topojson" if FILE_NAME.fullmatch(area) else None


def boundaries_part(path: str) -> str:
    """Return the area whose part of a level a file has."""
    return PurePosixPath(path).stem


def is_of_boundaries(path: str) -> bool:
    """Return whether a file belongs to the boundaries of areas."""
    return path == BOUNDARIES or path.startswith("geo/boundaries_") or (path.startswith("geo/") and path.endswith(".topojson"))
