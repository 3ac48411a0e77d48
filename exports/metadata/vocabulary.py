"""Code lists that catalogues share, such as those of the EU, and how the codes of a pack map to them. Only data and look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from exports.model.licences import NO_LICENCE

AUTHORITY = "http://publications.europa.eu/resource/authority/"
MEDIA_TYPES = "http://www.iana.org/assignments/media-types/"
THEMES = AUTHORITY + "data-theme"
IRREGULAR = AUTHORITY + "frequency/IRREG"
PUBLIC = AUTHORITY + "access-right/PUBLIC"
STABLE = AUTHORITY + "planned-availability/STABLE"
SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
MD5 = "http://spdx.org/rdf/terms#checksumAlgorithm_md5"

HTTP = "https://www.rfc-editor.org/rfc/rfc9110"
HVD_LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
HVD_STATISTICS = "http://data.europa.eu/bna/c_e1da4e07"
HVD_CATEGORIES = "http://data.europa.eu/bna/asd487ae75"
HVD_TYPE = AUTHORITY + "dataset-type/HVD"
PUBLISHER_KINDS = "http://purl.org/adms/publishertype/1.0"
LICENCE_KINDS = "http://purl.org/adms/licencetype/1.0"
LISTS: Mapping[str, str] = {
    AUTHORITY + "access-right": "Access rights",
    AUTHORITY + "country": "Countries",
    AUTHORITY + "data-theme": "Data themes",
    AUTHORITY + "file-type": "File types",
    AUTHORITY + "frequency": "Frequencies",
    AUTHORITY + "language": "Languages",
    AUTHORITY + "licence": "Licences",
    AUTHORITY + "planned-availability": "Planned availability",
    HVD_CATEGORIES: "Categories of high-value datasets",
    PUBLISHER_KINDS: "Kinds of publishers",
    LICENCE_KINDS: "Kinds of licences",
}
"""Names of code lists."""


class Format(NamedTuple):
    """A file format: its name, its entry in the EU's list of file types, its media type and its specification."""

    name: str
    file_type: str
    media_type: str
    specification: str


FORMATS: Mapping[str, Format] = {
    ".csv": Format("CSV", "CSV", "text/csv", "https://www.rfc-editor.org/rfc/rfc4180"),
    ".parquet": Format("Parquet", "PARQUET", "application/vnd.apache.parquet", "https://parquet.apache.org/"),
    ".duckdb": Format("DuckDB", "BIN", "application/octet-stream", "https://duckdb.org/"),
    ".xlsx": Format(
        "XLSX",
        "XLSX",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "https://ecma-international.org/publications-and-standards/standards/ecma-376/",
    ),
    ".topojson": Format("TopoJSON", "JSON", "application/json", "https://github.com/topojson/topojson-specification"),
    ".geojson": Format("GeoJSON", "GEOJSON", "application/geo+json", "https://www.rfc-editor.org/rfc/rfc7946"),
}
"""File formats by the suffix of a file name."""
FORMATS_OF_FOLDERS: Mapping[str, Format] = {
    "jsonstat/": Format("JSON-stat", "JSON", "application/json", "https://json-stat.org/format/"),
    "sdmx/": Format("SDMX-CSV", "CSV", "text/csv", "https://sdmx.org/standards-2/"),
    "geo/boundaries_": Format("GeoParquet", "PARQUET", "application/vnd.apache.parquet", "https://geoparquet.org/"),
    "geo/areas.parquet": Format("GeoParquet", "PARQUET", "application/vnd.apache.parquet", "https://geoparquet.org/"),
}
"""File formats that only the first part of a path tells."""

THEME_LABELS: Mapping[str, str] = {
    "AGRI": "Agriculture, fisheries, forestry and food",
    "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport",
    "ENER": "Energy",
    "ENVI": "Environment",
    "GOVE": "Government and public sector",
    "HEAL": "Health",
    "INTR": "International issues",
    "JUST": "Justice, legal system and public safety",
    "REGI": "Regions and cities",
    "SOCI": "Population and society",
    "TECH": "Science and technology",
    "TRAN": "Transport",
}
"""The EU's list of data themes."""

LANGUAGES: Mapping[str, str] = {
    "bg": "BUL", "cs": "CES", "da": "DAN", "de": "DEU", "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST", "fi": "FIN", "fr": "FRA",
    "ga": "GLE", "hr": "HRV", "hu": "HUN", "it": "ITA", "lt": "LIT", "lv": "LAV", "mt": "MLT", "nl": "NLD", "pl": "POL", "pt": "POR",
    "ro": "RON", "sk": "SLK", "sl": "SLV", "sv": "SWE", "uk": "UKR",
}  # fmt: skip
"""The EU's list of languages by ISO 639-1 code."""

COUNTRIES: Mapping[str, str] = {
    "AL": "ALB", "AT": "AUT", "BA": "BIH", "BE": "BEL", "BG": "BGR", "CH": "CHE", "CY": "CYP", "CZ": "CZE", "DE": "DEU", "DK": "DNK",
    "EE": "EST", "ES": "ESP", "FI": "FIN", "FR": "FRA", "GB": "GBR", "GR": "GRC", "HR": "HRV", "HU": "HUN", "IE": "IRL", "IS": "ISL",
    "IT": "ITA", "LI": "LIE", "LT": "LTU", "LU": "LUX", "LV": "LVA", "MD": "MDA", "ME": "MNE", "MK": "MKD", "MT": "MLT", "NL": "NLD",
    "NO": "NOR", "PL": "POL", "PT": "PRT", "RO": "ROU", "RS": "SRB", "SE": "SWE", "SI": "SVN", "SK": "SVK", "TR": "TUR", "UA": "UKR",
}  # fmt: skip
"""European countries: ISO 3166-1 alpha-3, which the EU's list of countries uses, by alpha-2."""

BOXES: Mapping[str, tuple[float, float, float, float]] = {
    "AT": (9.53, 46.37, 17.16, 49.02), "CZ": (12.09, 48.55, 18.86, 51.06), "DE": (5.87, 47.27, 15.04, 55.06),
    "HU": (16.11, 45.74, 22.90, 48.59), "PL": (14.12, 49.00, 24.15, 54.84), "SK": (16.83, 47.73, 22.57, 49.61),
}  # fmt: skip
"""Bounding boxes of countries (west, south, east, north), for releases whose areas have no coordinates."""

LICENCES: Mapping[str, str] = {
    "CC0-1.0": "CC0", "CC-BY-4.0": "CC_BY_4_0", "CC-BY-3.0": "CC_BY_3_0", "CC-BY-SA-4.0": "CC_BYSA_4_0", "CC-BY-NC-4.0": "CC_BYNC_4_0",
    "CC-BY-ND-4.0": "CC_BYND_4_0", "CC-BY-NC-SA-4.0": "CC_BYNCSA_4_0", "CC-BY-NC-ND-4.0": "CC_BYNCND_4_0",
}  # fmt: skip
"""The EU's list of licences by SPDX identifier."""

LICENCE_TITLES: Mapping[str, str] = {
    "CC0-1.0": "Creative Commons CCZero",
    "CC-BY-4.0": "Creative Commons Attribution",
    "CC-BY-3.0": "Creative Commons Attribution",
    "CC-BY-SA-4.0": "Creative Commons Attribution Share-Alike",
    "CC-BY-NC-4.0": "Creative Commons Non-Commercial (Any)",
}
"""Titles of licences in the register of CKAN, by SPDX identifier. A portal that harvests a catalogue recognises a licence by its title."""

PUBLISHER_TYPES: Mapping[str, str] = {
    "Academia-ScientificOrganisation": "Academia or scientific organisation",
    "Company": "Company",
    "IndustryConsortium": "Industry consortium",
    "LocalAuthority": "Local authority",
    "NationalAuthority": "National authority",
    "NonGovernmentalOrganisation": "Non-governmental organisation",
    "NonProfitOrganisation": "Non-profit organisation",
    "PrivateIndividual(s)": "Private individual(s)",
    "RegionalAuthority": "Regional authority",
    "StandardisationBody": "Standardisation body",
    "SupraNationalAuthority": "Supra-national authority",
}
"""Names of the publisher types of ADMS."""


def format_of(path: str) -> Format:
    """Return the format of a file by its path in the release. Raises ValueError for a file that no catalogue lists."""
    for start, form in FORMATS_OF_FOLDERS.items():
        if path.startswith(start):
            return form
    for ending, form in FORMATS.items():
        if path.endswith(ending):
            return form
    raise ValueError(f"{path}: no known format")


def language(code: str) -> str:
    """Return the IRI of a language by its ISO 639-1 code: from the EU's list, or else from the Library of Congress."""
    if code in LANGUAGES:
        return AUTHORITY + "language/" + LANGUAGES[code]
    return f"http://id.loc.gov/vocabulary/iso639-{1 if len(code) == 2 else 2}/{code}"


def country(code: str) -> str | None:
    return AUTHORITY + "country/" + COUNTRIES[code] if code in COUNTRIES else None


def licence(spdx: str) -> str | None:
    return AUTHORITY + "licence/" + LICENCES[spdx] if spdx in LICENCES else None


def licence_type(licence: str) -> tuple[str, str]:
    """Return the ADMS type of a licence: name and label."""
    if licence == NO_LICENCE:
        return "UnknownIPR", "Unknown IPR"
    if licence == "CC0-1.0":
        return "PublicDomain", "Work in the public domain"
    if licence.startswith("CC-BY-NC"):
        return "NonCommercialUseOnly", "Non-commercial use only"
    if licence.startswith("CC-BY-ND"):
        return "NoDerivativeWork", "No derivative work"
    if licence.startswith("CC-BY-SA"):
        return "ViralEffect-ShareAlike", "Viral effect (share-alike)"
    if licence.startswith("CC-BY"):
        return "Attribution", "Attribution"
    return "UnknownIPR", "Unknown IPR"
