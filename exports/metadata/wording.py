"""Titles of the published tables and files by language, and the texts about a release as a whole. The one place for them.

Descriptions come from the tables themselves. A table that is not listed here is called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.core.code_texts import LANGUAGES, Texts

TITLES: Mapping[str, Texts] = {
    "areas": ("Areas", "Území", "Územia"),
    "area_parents": ("Hierarchy of areas", "Nadřazená území", "Nadradené územia"),
    "area_codes": ("Codes of areas", "Kódy území", "Kódy území"),
    "indicators": ("Indicators", "Ukazatele", "Ukazovatele"),
    "indicator_values": ("Values of the indicators", "Hodnoty ukazatelů", "Hodnoty ukazovateľov"),
    "latest_values": ("Latest values", "Poslední hodnoty", "Posledné hodnoty"),
    "sustainability": ("Sustainability indices", "Indexy udržitelnosti", "Indexy udržateľnosti"),
    "community": ("Community indices", "Indexy komunitního života", "Indexy komunitného života"),
    "indices": ("Indices", "Indexy", "Indexy"),
    "index_components": ("Components of the indices", "Složky indexů", "Zložky indexov"),
    "index_sensitivity": ("Sensitivity of the indices", "Citlivost indexů", "Citlivosť indexov"),
    "cohesion_dispersion": ("Territorial dispersion", "Rozdíly mezi územími", "Rozdiely medzi územiami"),
    "cohesion_convergence": ("Territorial convergence", "Sbližování území", "Zbližovanie území"),
    "gender_gaps": ("Gaps between women and men", "Rozdíly mezi ženami a muži", "Rozdiely medzi ženami a mužmi"),
    "peers": ("Similar areas", "Podobná území", "Podobné územia"),
    "comparisons": ("Comparisons", "Srovnání hodnot", "Porovnania hodnôt"),
    "trends": ("Trends", "Trendy", "Trendy"),
    "objective_measures": ("Measures of the objectives", "Opatření cílů", "Opatrenia cieľov"),
    "progress": ("Progress", "Pokrok", "Pokrok"),
    "coverage": ("Coverage", "Pokrytí ukazatelů daty", "Pokrytie ukazovateľov údajmi"),
    "changes": ("Changes since the previous release", "Změny oproti předchozímu vydání", "Zmeny oproti predchádzajúcemu vydaniu"),
    "revisions": ("Revised values", "Revidované hodnoty", "Revidované hodnoty"),
    "status_notes": ("Notes on values", "Poznámky k hodnotám", "Poznámky k hodnotám"),
    "breaks": ("Breaks in series", "Zlomy v řadách", "Zlomy v radoch"),
    "sources": ("Sources", "Zdroje", "Zdroje"),
    "snapshots": ("Snapshots of the sources", "Stažené soubory zdrojů", "Stiahnuté súbory zdrojov"),
}
"""In English, Czech and Slovak."""

WHOLE: Mapping[str, tuple[str, str]] = {
    "en": ("All data", "All tables of the release: in one file for DuckDB, with a comment on every table and column, and each as Parquet."),
    "cs": ("Všechna data", "Všechny tabulky vydání: v jednom souboru pro DuckDB, s popisem každé tabulky a sloupce, a každá jako Parquet."),
    "sk": ("Všetky údaje", "Všetky tabuľky vydania: v jednom súbore pre DuckDB, s opisom každej tabuľky a stĺpca, a každá ako Parquet."),
}

CATALOGUE_DESCRIPTIONS: Mapping[str, str] = {
    "en": "Indicators of sustainability, community life and territorial cohesion, with sources, coverage and the reason for each missing value.",
    "cs": "Ukazatele udržitelnosti, komunitního života a soudržnosti území, se zdroji, pokrytím a důvodem každé chybějící hodnoty.",
    "sk": "Ukazovatele udržateľnosti, komunitného života a súdržnosti území, so zdrojmi, pokrytím a dôvodom každej chýbajúcej hodnoty.",
}

SERVICE = (
    "Files of the current release over HTTP",
    "Every file of the current release by its path, completely or in parts: GET with byte ranges, as readers of Parquet and DuckDB use them.",
)

PROVENANCE: Mapping[str, tuple[str, str]] = {
    "en": ("Computed from", "Details"),
    "cs": ("Vypočteno z", "Podrobnosti"),
    "sk": ("Vypočítané z", "Podrobnosti"),
}
"""What stands before the list of sources, and before the address of the provenance, on portals."""

KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("indicators", "sustainability", "territorial cohesion", "open data"),
    "cs": ("ukazatele", "udržitelnost", "územní soudržnost", "otevřená data"),
    "sk": ("ukazovatele", "udržateľnosť", "územná súdržnosť", "otvorené dáta"),
}

OF_LEVELS: Mapping[str, str] = {"en": "Levels of territory: {}.", "cs": "Úrovně území: {}.", "sk": "Úrovne územia: {}."}
OF_INDICATORS: Mapping[str, str] = {"en": "Indicators: {}.", "cs": "Ukazatele: {}.", "sk": "Ukazovatele: {}."}
"""What follows the description of a topic."""

RIGHTS: Mapping[str, tuple[str, str]] = {
    "en": ("Made from data of: {}.", "These sources state no licence: {}."),
    "cs": ("Vypočteno z dat těchto poskytovatelů: {}.", "U těchto zdrojů není uvedena licence: {}."),
    "sk": ("Vypočítané z údajov týchto poskytovateľov: {}.", "Pri týchto zdrojoch nie je uvedená licencia: {}."),
}
"""The publishers of the sources of a data set, and its sources without a licence."""
SOURCES_OF: Mapping[str, str] = {
    "en": "{}, from data of: {}",
    "cs": "{}, z dat těchto poskytovatelů: {}",
    "sk": "{}, z údajov týchto poskytovateľov: {}",
}
"""The author of a data set, and the publishers of its sources."""

NEWEST: Mapping[str, str] = {"en": "newest values", "cs": "nejnovější hodnoty", "sk": "najnovšie hodnoty"}
ALL_PERIODS: Mapping[str, str] = {"en": "all periods", "cs": "všechna období", "sk": "všetky obdobia"}
COMPARISONS: Mapping[str, str] = {"en": "comparisons", "cs": "srovnání", "sk": "porovnania"}
POINTS: Mapping[str, str] = {"en": "points of areas", "cs": "body území", "sk": "body území"}
BOUNDARIES: Mapping[str, str] = {"en": "boundaries", "cs": "hranice", "sk": "hranice"}
ALL_TABLES: Mapping[str, str] = {"en": "all tables", "cs": "všechny tabulky", "sk": "všetky tabuľky"}
WORKBOOK: Mapping[str, str] = {
    "en": "workbook in {}, newest values",
    "cs": "sešit {}, nejnovější hodnoty",
    "sk": "zošit {}, najnovšie hodnoty",
}
LOCALIZED_CSV: Mapping[str, str] = {
    "en": "newest values for spreadsheets with a decimal comma, in {}",
    "cs": "nejnovější hodnoty pro tabulkový procesor s desetinnou čárkou, {}",
    "sk": "najnovšie hodnoty pre tabuľkový procesor s desatinnou čiarkou, {}",
}
"""What a file has of its data set. What differs comes first, because portals show some twenty letters."""
NAMES_OF_LANGUAGES: Mapping[str, Texts] = {
    "en": ("English", "anglicky", "po anglicky"),
    "cs": ("Czech", "česky", "po česky"),
    "sk": ("Slovak", "slovensky", "po slovensky"),
    "de": ("German", "německy", "po nemecky"),
    "pl": ("Polish", "polsky", "po poľsky"),
    "hu": ("Hungarian", "maďarsky", "po maďarsky"),
}
"""As the texts above name the language of a file, in English, Czech and Slovak."""


def in_language(titles: Mapping[str, str], code: str) -> dict[str, str]:
    """Return the titles of a file whose texts are in the language `code`, by language."""
    return {spoken: title.format(language(code, spoken)) for spoken, title in titles.items()}


def as_heading(titles: Mapping[str, str]) -> dict[str, str]:
    """Return titles that stand alone: they begin with a capital letter."""
    return {language: title[:1].upper() + title[1:] for language, title in titles.items()}


def language(code: str, spoken: str) -> str:
    """Return the name of a language in the language `spoken`, or its code if it is not listed."""
    return NAMES_OF_LANGUAGES[code][LANGUAGES.index(spoken)] if code in NAMES_OF_LANGUAGES and spoken in LANGUAGES else code


def workbook(code: str) -> dict[str, str]:
    """Return the titles of the workbook in the language `code`, which stand alone, by language."""
    return as_heading(in_language(WORKBOOK, code))


def localized_csv(code: str) -> dict[str, str]:
    """Return the titles of the newest values as spreadsheets of the language `code` expect them, which stand alone, by language."""
    return as_heading(in_language(LOCALIZED_CSV, code))


def titles(table: str) -> dict[str, str]:
    """Return the titles of a table by language; its name where it is not listed."""
    return {spoken: text for spoken in LANGUAGES if (text := title(table, spoken))}


def title(table: str, language: str) -> str | None:
    """Return the title of a table, or its name if it is not listed. None in a language that this module does not have."""
    if language not in LANGUAGES:
        return None
    return TITLES[table][LANGUAGES.index(language)] if table in TITLES else table
