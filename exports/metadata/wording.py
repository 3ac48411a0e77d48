"""Titles and descriptions of the published tables in Czech and Slovak, and what catalogues say of a release as a whole. Data only.

English descriptions are those of the tables themselves. A table that is not listed here is called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping

TITLES: Mapping[str, tuple[str, str, str]] = {
    "areas": ("Areas", "Území", "Územia"),
    "area_parents": ("Hierarchy of areas", "Nadřazená území", "Nadradené územia"),
    "area_codes": ("Codes of areas", "Kódy území", "Kódy území"),
    "indicators": ("Indicators", "Ukazatele", "Ukazovatele"),
    "indicator_values": ("Values of the indicators", "Hodnoty ukazatelů", "Hodnoty ukazovateľov"),
    "latest_values": ("Latest values", "Poslední hodnoty", "Posledné hodnoty"),
    "sustainability": ("Sustainability indices", "Indexy udržitelnosti", "Indexy udržateľnosti"),
    "community": ("Community indices", "Indexy komunitního života", "Indexy komunitného života"),
    "index_components": ("Components of the indices", "Složky indexů", "Zložky indexov"),
    "index_sensitivity": ("Sensitivity of the indices", "Citlivost indexů", "Citlivosť indexov"),
    "cohesion_dispersion": ("Territorial dispersion", "Rozdíly mezi územími", "Rozdiely medzi územiami"),
    "cohesion_convergence": ("Territorial convergence", "Sbližování území", "Zbližovanie území"),
    "gender_gaps": ("Gaps between women and men", "Rozdíly mezi ženami a muži", "Rozdiely medzi ženami a mužmi"),
    "peers": ("Similar areas", "Podobná území", "Podobné územia"),
    "progress": ("Progress", "Pokrok", "Pokrok"),
    "coverage": ("Coverage", "Pokrytí ukazatelů daty", "Pokrytie ukazovateľov údajmi"),
    "changes": ("Changes since the last release", "Změny proti minulému vydání", "Zmeny oproti minulému vydaniu"),
    "revisions": ("Revised values", "Revidované hodnoty", "Revidované hodnoty"),
    "sources": ("Sources", "Zdroje", "Zdroje"),
    "snapshots": ("Snapshots of the sources", "Stažené soubory zdrojů", "Stiahnuté súbory zdrojov"),
}
"""In English, Czech and Slovak."""

DESCRIPTIONS: Mapping[str, tuple[str, str]] = {
    "areas": (
        "Obce, okresy, kraje, státy a další území s dobou platnosti. Jeden řádek na území.",
        "Obce, okresy, kraje, štáty a ďalšie územia s dobou platnosti. Jeden riadok na územie.",
    ),
    "area_parents": (
        "Do kterých území bezprostředně náležejí jiná. Jeden řádek na vazbu a její první den.",
        "Do ktorých území bezprostredne patria iné. Jeden riadok na väzbu a jej prvý deň.",
    ),
    "area_codes": (
        "Kódy území v jiných číselnících. Jeden řádek na kód a jeho první den.",
        "Kódy území v iných číselníkoch. Jeden riadok na kód a jeho prvý deň.",
    ),
    "indicators": (
        "Ukazatele s názvem, cílem, jednotkou, směrem a vzorcem, včetně těch, pro které zatím nejsou data.",
        "Ukazovatele s názvom, cieľom, jednotkou, smerom a vzorcom, vrátane tých, pre ktoré zatiaľ nie sú údaje.",
    ),
    "indicator_values": (
        "Hodnoty ukazatelů podle území, období, pohlaví a věku; u každé hodnoty stav, čitatel, jmenovatel a pokrytí.",
        "Hodnoty ukazovateľov podľa územia, obdobia, pohlavia a veku; pri každej hodnote stav, čitateľ, menovateľ a pokrytie.",
    ),
    "latest_values": (
        "Poslední hodnota každého ukazatele za každé území; jeden sloupec na ukazatel.",
        "Posledná hodnota každého ukazovateľa za každé územie; jeden stĺpec na ukazovateľ.",
    ),
    "sustainability": (
        "Skóre a pořadí území v indexech udržitelného rozvoje a v jejich složkách.",
        "Skóre a poradie území v indexoch udržateľného rozvoja a v ich zložkách.",
    ),
    "community": (
        "Skóre a pořadí území v indexech komunitního života a v jejich složkách.",
        "Skóre a poradie území v indexoch komunitného života a v ich zložkách.",
    ),
    "index_components": (
        "Z čeho se skládá skóre: původní, upravená a normalizovaná hodnota každého ukazatele a jeho váha.",
        "Z čoho sa skladá skóre: pôvodná, upravená a normalizovaná hodnota každého ukazovateľa a jeho váha.",
    ),
    "index_sensitivity": (
        "Jak se výsledky indexů mění, změní-li se váhy nebo postup výpočtu.",
        "Ako sa výsledky indexov menia, ak sa zmenia váhy alebo postup výpočtu.",
    ),
    "cohesion_dispersion": (
        "Jak moc se ukazatel liší mezi územími jedné úrovně uvnitř nadřazeného území: Giniho koeficient, Theilův index a další míry.",
        "Ako veľmi sa ukazovateľ líši medzi územiami jednej úrovne vnútri nadradeného územia: Giniho koeficient, Theilov index a ďalšie miery.",
    ),
    "cohesion_convergence": (
        "Zda se rozdíly mezi územími v čase zmenšují: sigma a beta konvergence.",
        "Či sa rozdiely medzi územiami v čase zmenšujú: sigma a beta konvergencia.",
    ),
    "gender_gaps": (
        "Hodnoty ukazatelů za ženy a za muže, jejich rozdíl a poměr.",
        "Hodnoty ukazovateľov za ženy a za mužov, ich rozdiel a pomer.",
    ),
    "peers": (
        "Ke každému území nejpodobnější území a jejich vzdálenost.",
        "Ku každému územiu najpodobnejšie územia a ich vzdialenosť.",
    ),
    "progress": (
        "Růst ukazatele od výchozího období proti růstu, který je třeba k cíli.",
        "Rast ukazovateľa od východiskového obdobia oproti rastu, ktorý je potrebný k cieľu.",
    ),
    "coverage": (
        "Kolik hodnot ukazatele se na každé úrovni a v každém období očekává, kolik jich je a proč ostatní chybějí.",
        "Koľko hodnôt ukazovateľa sa na každej úrovni a v každom období očakáva, koľko ich je a prečo ostatné chýbajú.",
    ),
    "changes": (
        "Co je jinak než v předchozím vydání, hodnota po hodnotě.",
        "Čo je inak ako v predchádzajúcom vydaní, hodnota po hodnote.",
    ),
    "revisions": (
        "Dříve zveřejněné hodnoty ukazatelů, které se změnily.",
        "Predtým zverejnené hodnoty ukazovateľov, ktoré sa zmenili.",
    ),
    "sources": (
        "Zdroje, ze kterých vydání vzniklo: poskytovatel, licence a počty přijatých a odmítnutých řádků.",
        "Zdroje, z ktorých vydanie vzniklo: poskytovateľ, licencia a počty prijatých a odmietnutých riadkov.",
    ),
    "snapshots": (
        "Stažené soubory s adresou, kontrolním součtem a časem stažení.",
        "Stiahnuté súbory s adresou, kontrolným súčtom a časom stiahnutia.",
    ),
}
"""In Czech and Slovak."""

OF_TABLE: Mapping[str, str] = {
    "en": "Table {} of the release.",
    "cs": "Tabulka {} vydání.",
    "sk": "Tabuľka {} vydania.",
}
"""What is said of a table that is not listed."""

WHOLE: Mapping[str, tuple[str, str]] = {
    "en": ("All tables in one file", "All tables of the release in one file for DuckDB, with a comment on every table and column."),
    "cs": ("Všechny tabulky v jednom souboru", "Všechny tabulky vydání v jednom souboru pro DuckDB, s popisem každé tabulky a sloupce."),
    "sk": ("Všetky tabuľky v jednom súbore", "Všetky tabuľky vydania v jednom súbore pre DuckDB, s opisom každej tabuľky a stĺpca."),
}

CATALOGUE: Mapping[str, str] = {
    "en": "Indicators of sustainability, community life and territorial cohesion, with sources, coverage and the reason for each missing value.",
    "cs": "Ukazatele udržitelnosti, komunitního života a soudržnosti území, se zdroji, pokrytím a důvodem každé chybějící hodnoty.",
    "sk": "Ukazovatele udržateľnosti, komunitného života a súdržnosti území, so zdrojmi, pokrytím a dôvodom každej chýbajúcej hodnoty.",
}

SERIES: Mapping[str, str] = {
    "en": "{} Each release is a dataset of this series.",
    "cs": "{} Každé vydání je datovou sadou této série.",
    "sk": "{} Každé vydanie je datasetom tejto série.",
}

SERVICE = (
    "Files of the current release over HTTP",
    "Every file of the current release by its path, whole or in parts: GET with ranges of bytes, which readers of Parquet and DuckDB use.",
)

KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("indicators", "sustainability", "territorial cohesion", "municipalities"),
    "cs": ("ukazatele", "udržitelnost", "územní soudržnost", "obce"),
    "sk": ("ukazovatele", "udržateľnosť", "územná súdržnosť", "obce"),
}

LANGUAGES = ("en", "cs", "sk")
"""The languages that this module knows, in the order of its tuples."""


def title(table: str, language: str) -> str | None:
    """Return the title of a table, its name where it is not listed, None in a language that is not known here."""
    if language not in LANGUAGES:
        return None
    return TITLES[table][LANGUAGES.index(language)] if table in TITLES else table


def description(table: str, language: str) -> str | None:
    """Return the description of a table in Czech or Slovak, None in any other language."""
    if language not in ("cs", "sk"):
        return None
    return DESCRIPTIONS[table][("cs", "sk").index(language)] if table in DESCRIPTIONS else OF_TABLE[language].format(table)
