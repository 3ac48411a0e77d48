"""The words of the pages by language, and how a language writes sizes and dates. Knows no particular page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipelines.core.code_texts import LANGUAGES, in_language

NAMES: Mapping[str, str] = {
    "en": "English", "cs": "Čeština", "sk": "Slovenčina", "de": "Deutsch", "pl": "Polski", "hu": "Magyar", "fr": "Français",
}  # fmt: skip
"""What a language calls itself."""

WORDS: Mapping[str, tuple[str, str, str]] = {
    "skip": ("Skip to the content", "Přejít k obsahu", "Prejsť na obsah"),
    "languages": ("Languages", "Jazyky", "Jazyky"),
    "where": ("You are here", "Kde jste", "Kde ste"),
    "home": ("All data", "Všechna data", "Všetky údaje"),
    "release": ("Release", "Vydání", "Vydanie"),
    "current_release": ("Current release", "Aktuální vydání", "Aktuálne vydanie"),
    "released": ("Released", "Vydáno", "Vydané"),
    "period": ("Period", "Období", "Obdobie"),
    "places": ("Places", "Území", "Územia"),
    "publisher": ("Publisher", "Vydavatel", "Vydavateľ"),
    "licence": ("Licence", "Licence", "Licencia"),
    "part_licence": (
        "A source decides it. Data sets that are not made from that source are under {}.",
        "Určuje ji jeden ze zdrojů. Datové sady, které z něj nevycházejí, jsou pod {}.",
        "Určuje ju jeden zo zdrojov. Súbory údajov, ktoré z neho nevychádzajú, sú pod {}.",
    ),
    "carrier": ("Passed on by {}", "Soubor předává {}", "Súbor odovzdáva {}"),
    "terms": ("Terms of use", "Podmínky užití", "Podmienky použitia"),
    "no_licence": ("not stated", "neuvedena", "neuvedená"),
    "keywords": ("Keywords", "Klíčová slova", "Kľúčové slová"),
    "address": ("Lasting address", "Trvalá adresa", "Trvalá adresa"),
    "contact": ("Contact", "Kontakt", "Kontakt"),
    "datasets": ("Data sets", "Datové sady", "Datasety"),
    "modified": ("Last changed", "Naposledy změněno", "Naposledy zmenené"),
    "part_of": ("Part of", "Součást", "Súčasť"),
    "data_set_caption": ("Files of this data set", "Soubory této datové sady", "Súbory tohto datasetu"),
    "data_dictionary": ("Data dictionary", "Popis sloupců", "Opis stĺpcov"),
    "sources_short": ("Sources", "Zdroje", "Zdroje"),
    "former": (
        "The current release does not have this data set any more. Earlier releases keep it.",
        "Aktuální vydání už tuto datovou sadu nemá. Ve starších vydáních zůstává.",
        "Aktuálne vydanie už tento dataset nemá. V starších vydaniach zostáva.",
    ),
    "downloads": ("Files to start with", "Soubory pro začátek", "Súbory pre začiatok"),
    "downloads_caption": (
        "The newest values, and everything in one file", "Nejnovější hodnoty a vše v jednom souboru", "Najnovšie hodnoty a všetko v jednom súbore",
    ),
    "files": ("Files", "Soubory", "Súbory"),
    "content": ("Content", "Obsah", "Obsah"),
    "format": ("Format", "Formát", "Formát"),
    "size": ("Size", "Velikost", "Veľkosť"),
    "tables": ("Tables", "Tabulky", "Tabuľky"),
    "tables_caption": (
        "Every table, with its files and the description of its columns",
        "Všechny tabulky, jejich soubory a popis sloupců",
        "Všetky tabuľky, ich súbory a opis stĺpcov",
    ),
    "table": ("Table", "Tabulka", "Tabuľka"),
    "rows": ("Rows", "Řádků", "Riadkov"),
    "columns": ("Columns", "Sloupce", "Stĺpce"),
    "dictionary": ("description", "popis", "opis"),
    "by_indicator": ("Files by indicator", "Soubory podle ukazatelů", "Súbory podľa ukazovateľov"),
    "by_indicator_show": ("Show the indicators ({})", "Zobrazit ukazatele ({})", "Zobraziť ukazovatele ({})"),
    "by_indicator_caption": (
        "The values of each indicator for all areas and periods",
        "Hodnoty každého ukazatele za všechna území a období",
        "Hodnoty každého ukazovateľa za všetky územia a obdobia",
    ),
    "see_by_indicator": ("files by indicator", "soubory podle ukazatelů", "súbory podľa ukazovateľov"),
    "indicator": ("Indicator", "Ukazatel", "Ukazovateľ"),
    "unit": ("Unit", "Jednotka", "Jednotka"),
    "other_files": ("Descriptions and other files", "Popisy a další soubory", "Opisy a ďalšie súbory"),
    "other_files_show": ("Show the files ({})", "Zobrazit soubory ({})", "Zobraziť súbory ({})"),
    "sources": ("Sources and their licences", "Zdroje a jejich licence", "Zdroje a ich licencie"),
    "sources_caption": (
        "Name these sources, too, when you use the data", "Při použití dat uveďte i tyto zdroje", "Pri použití údajov uveďte aj tieto zdroje",
    ),
    "source": ("Source", "Zdroj", "Zdroj"),
    "credit": ("Credit", "Jak zdroj uvést", "Ako zdroj uviesť"),
    "cite": ("How to cite", "Jak citovat", "Ako citovať"),
    "cite_more": ("For reference managers", "Pro citační programy", "Pre citačné programy"),
    "programs": ("For programs", "Pro programy", "Pre programy"),
    "catalogue": ("Catalogue", "Katalog", "Katalóg"),
    "data_package": ("Data Package: all tables, columns and types", "Data Package: všechny tabulky, sloupce a typy",
                     "Data Package: všetky tabuľky, stĺpce a typy"),
    "api": ("API: the data as small JSON files", "API: data v malých souborech JSON", "API: údaje v malých súboroch JSON"),
    "newest_pointer": ("Version and folder of the current release", "Verze a složka aktuálního vydání", "Verzia a priečinok aktuálneho vydania"),
    "all_releases": ("Every release and what happened to it", "Všechna vydání a co se s nimi stalo", "Všetky vydania a čo sa s nimi stalo"),
    "checksums": ("Checksums of all files", "Kontrolní součty všech souborů", "Kontrolné súčty všetkých súborov"),
    "quality": ("Report on quality", "Zpráva o kvalitě", "Správa o kvalite"),
    "changes": ("What changed", "Co se změnilo", "Čo sa zmenilo"),
    "readme": ("First steps", "První kroky", "Prvé kroky"),
    "feed": ("Atom feed: what happened to the releases", "Kanál Atom: co se s vydáními stalo", "Kanál Atom: čo sa s vydaniami stalo"),
    "feed_of": (
        "Atom feed: the releases in which this data set changed",
        "Kanál Atom: vydání, ve kterých se tato datová sada změnila",
        "Kanál Atom: vydania, v ktorých sa tento dataset zmenil",
    ),
    "previous": ("All releases", "Všechna vydání", "Všetky vydania"),
    "previous_caption": (
        "A release never changes; its files keep their addresses",
        "Vydání se nikdy nemění a adresy jeho souborů zůstávají",
        "Vydanie sa nikdy nemení a adresy jeho súborov zostávajú",
    ),
    "version": ("Version", "Verze", "Verzia"),
    "state": ("State", "Stav", "Stav"),
    "current": ("current", "aktuální", "aktuálne"),
    "withdrawn": ("withdrawn: {}", "staženo: {}", "stiahnuté: {}"),
    "removed": ("files removed", "soubory odstraněny", "súbory odstránené"),
    "earlier": ("earlier", "starší", "staršie"),
    "later": ("not current", "není aktuální", "nie je aktuálne"),
    "fixed": (
        "This page belongs to one release, which never changes.",
        "Tato stránka patří k jednomu vydání, které se nikdy nemění.",
        "Táto stránka patrí k jednému vydaniu, ktoré sa nikdy nemení.",
    ),
    "to_current": ("Go to the current release", "Přejít na aktuální vydání", "Prejsť na aktuálne vydanie"),
    "site": ("The web site in its first language", "Web v prvním jazyce", "Web v prvom jazyku"),
    "to_site": ("Look at the indicators", "Prohlédnout ukazatele", "Prezrieť ukazovatele"),
    "all_about_release": ("All files of the release", "Všechny soubory vydání", "Všetky súbory vydania"),
    "moving": (
        "This address always leads to the current release.", "Tato adresa vede vždy na aktuální vydání.",
        "Táto adresa vedie vždy na aktuálne vydanie.",
    ),
    "not_yet": ("Nothing has been published yet.", "Zatím nebylo nic vydáno.", "Zatiaľ nebolo nič vydané."),
}  # fmt: skip
"""In the order of LANGUAGES."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_UNITS = ("B", "kB", "MB", "GB", "TB")
NO_BREAK = "\u00a0"


COUNTRIES: Mapping[str, tuple[str, str, str]] = {
    "AT": ("Austria", "Rakousko", "Rakúsko"),
    "CZ": ("Czechia", "Česko", "Česko"),
    "DE": ("Germany", "Německo", "Nemecko"),
    "HU": ("Hungary", "Maďarsko", "Maďarsko"),
    "PL": ("Poland", "Polsko", "Poľsko"),
    "SK": ("Slovakia", "Slovensko", "Slovensko"),
}
"""In the order of LANGUAGES."""


def country(code: str, language: str) -> str:
    """Return the name of a country, or its code if this module does not have it."""
    return in_language(COUNTRIES[code], language) if code in COUNTRIES else code


def supported(language: str) -> str:
    """Return `language` if this module has it, otherwise English."""
    return language if language in LANGUAGES else "en"


def word(name: str, language: str) -> str:
    """Return a word in a language, in English where there is none."""
    return in_language(WORDS[name], language)


def size(count: int, language: str) -> str:
    """Return a number of bytes to read: three digits at most, in units of 1000."""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    text = f"{value:.0f}" if unit == 0 or value >= 99.95 else f"{value:.1f}"
    return f"{text if supported(language) == 'en' else text.replace('.', ',')}{NO_BREAK}{_UNITS[unit]}"


def number(count: int, language: str) -> str:
    """Return a whole number with its digits in groups."""
    return f"{count:,}".replace(",", "," if supported(language) == "en" else NO_BREAK)


def day(value: str, language: str) -> str:
    """Return the day of an ISO 8601 date or time as the language writes it; what is no date stays as it is."""
    match = _DAY.match(value)
    if not match or not 1 <= int(match[2]) <= 12:
        return value
    year, month, number_ = match[1], int(match[2]), int(match[3])
    if supported(language) == "en":
        return f"{number_} {_MONTHS[month - 1]} {year}"
    return f"{number_}.{NO_BREAK}{month}.{NO_BREAK}{year}"


def period(days: Sequence[str], language: str) -> str:
    """Return a first and a last day to read: as years if they are whole ones."""
    first, last = days
    if first.endswith("-01-01") and last.endswith("-12-31"):
        return first[:4] if first[:4] == last[:4] else f"{first[:4]}–{last[:4]}"
    return f"{day(first, language)} – {day(last, language)}"
