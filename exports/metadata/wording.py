"""Titles and descriptions of the published tables by language, and the texts about a release as a whole. Only data.

English descriptions come from the tables themselves. A table that is not listed here is called by its name.
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

DESCRIPTIONS: Mapping[str, tuple[str, str]] = {
    "areas": (
        "Obce, okresy, kraje, státy a další území s dobou platnosti. Každé území má jeden řádek.",
        "Obce, okresy, kraje, štáty a ďalšie územia s dobou platnosti. Každé územie má jeden riadok.",
    ),
    "area_parents": (
        "Přímo nadřazená území jednotlivých území. Jeden řádek pro každou vazbu a její první den platnosti.",
        "Priamo nadradené územia jednotlivých území. Jeden riadok pre každú väzbu a jej prvý deň platnosti.",
    ),
    "area_codes": (
        "Kódy území v jiných číselnících. Jeden řádek pro každý kód a jeho první den platnosti.",
        "Kódy území v iných číselníkoch. Jeden riadok pre každý kód a jeho prvý deň platnosti.",
    ),
    "indicators": (
        "Ukazatele s názvem, cílem, jednotkou, směrem a vzorcem, včetně těch, pro které zatím nejsou data.",
        "Ukazovatele s názvom, cieľom, jednotkou, smerom a vzorcom, vrátane tých, pre ktoré zatiaľ nie sú údaje.",
    ),
    "indicator_values": (
        "Hodnoty ukazatelů podle území, období, pohlaví a věku. U každé hodnoty je uveden stav, čitatel, jmenovatel a pokrytí.",
        "Hodnoty ukazovateľov podľa územia, obdobia, pohlavia a veku. Pri každej hodnote je uvedený stav, čitateľ, menovateľ a pokrytie.",
    ),
    "latest_values": (
        "Poslední hodnota každého ukazatele za každé území. Každý ukazatel má jeden sloupec.",
        "Posledná hodnota každého ukazovateľa za každé územie. Každý ukazovateľ má jeden stĺpec.",
    ),
    "sustainability": (
        "Skóre a pořadí území v indexech udržitelného rozvoje a v jejich složkách.",
        "Skóre a poradie území v indexoch udržateľného rozvoja a v ich zložkách.",
    ),
    "community": (
        "Skóre a pořadí území v indexech komunitního života a v jejich složkách.",
        "Skóre a poradie území v indexoch komunitného života a v ich zložkách.",
    ),
    "indices": (
        "Všechny indexy: zda lze uvádět jejich pořadí, nebo jen pětiny, a proč.",
        "Všetky indexy: či možno uvádzať ich poradie, alebo len pätiny, a prečo.",
    ),
    "index_components": (
        "Z čeho se skládá skóre: původní, upravená a normalizovaná hodnota každého ukazatele a jeho váha.",
        "Z čoho sa skladá skóre: pôvodná, upravená a normalizovaná hodnota každého ukazovateľa a jeho váha.",
    ),
    "index_sensitivity": (
        "Jak se výsledky indexů mění, když se změní váhy nebo postup výpočtu.",
        "Ako sa výsledky indexov menia, keď sa zmenia váhy alebo postup výpočtu.",
    ),
    "cohesion_dispersion": (
        "Jak moc se ukazatel liší mezi územími stejné úrovně uvnitř nadřazeného území: Giniho koeficient, Theilův index a další míry.",
        "Ako veľmi sa ukazovateľ líši medzi územiami rovnakej úrovne v nadradenom území: Giniho koeficient, Theilov index a ďalšie miery.",
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
        "Nejpodobnější území ke každému území a jejich vzdálenost.",
        "Najpodobnejšie územia ku každému územiu a ich vzdialenosť.",
    ),
    "comparisons": (
        "Zda se poslední hodnota území liší od hodnoty celého státu nebo podobných území víc, než odpovídá náhodě.",
        "Či sa posledná hodnota územia líši od hodnoty celého štátu alebo podobných území viac, než zodpovedá náhode.",
    ),
    "trends": (
        "Zda se hodnota území za posledních pět období změnila víc, než odpovídá náhodě.",
        "Či sa hodnota územia za posledných päť období zmenila viac, než zodpovedá náhode.",
    ),
    "objective_measures": (
        "Opatření jednotlivých cílů: kolik mají ukazatelů, kolik z nich má data a která data chybějí.",
        "Opatrenia jednotlivých cieľov: koľko majú ukazovateľov, koľko z nich má údaje a ktoré údaje chýbajú.",
    ),
    "progress": (
        "Růst ukazatele od výchozího období ve srovnání s růstem, který je potřeba k dosažení cíle.",
        "Rast ukazovateľa od východiskového obdobia v porovnaní s rastom, ktorý je potrebný na dosiahnutie cieľa.",
    ),
    "coverage": (
        "Kolik hodnot ukazatele se na každé úrovni a v každém období očekává, kolik jich je k dispozici a proč ostatní chybějí.",
        "Koľko hodnôt ukazovateľa sa na každej úrovni a v každom období očakáva, koľko ich je k dispozícii a prečo ostatné chýbajú.",
    ),
    "changes": (
        "Všechny rozdíly oproti předchozímu vydání, hodnota po hodnotě.",
        "Všetky rozdiely oproti predchádzajúcemu vydaniu, hodnota po hodnote.",
    ),
    "revisions": (
        "Dříve zveřejněné hodnoty ukazatelů, které se změnily.",
        "Predtým zverejnené hodnoty ukazovateľov, ktoré sa zmenili.",
    ),
    "status_notes": (
        "Poznámky zdrojů k hodnotám ukazatelů, například proč hodnota chybí. Odkazuje na ně sloupec status_note.",
        "Poznámky zdrojov k hodnotám ukazovateľov, napríklad prečo hodnota chýba. Odkazuje na ne stĺpec status_note.",
    ),
    "breaks": (
        "Zlomy v časových řadách měřených veličin s obdobím, vysvětlením a ukazateli, které je čtou.",
        "Zlomy v časových radoch meraných veličín s obdobím, vysvetlením a ukazovateľmi, ktoré ich čítajú.",
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
"""The description of a table that is not listed."""

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
POINTS: Mapping[str, str] = {"en": "points of areas", "cs": "body území", "sk": "body území"}
ALL_TABLES: Mapping[str, str] = {"en": "all tables", "cs": "všechny tabulky", "sk": "všetky tabuľky"}
WORKBOOK: Mapping[str, str] = {"en": "workbook, {}", "cs": "sešit, {}", "sk": "zošit, {}"}
"""What a file has of its data set."""
NAMES_OF_LANGUAGES: Mapping[str, tuple[str, str, str]] = {
    "en": ("English", "anglicky", "anglicky"),
    "cs": ("Czech", "česky", "česky"),
    "sk": ("Slovak", "slovensky", "slovensky"),
    "de": ("German", "německy", "nemecky"),
    "pl": ("Polish", "polsky", "poľsky"),
    "hu": ("Hungarian", "maďarsky", "maďarsky"),
}
"""In English, Czech and Slovak."""

LANGUAGES = ("en", "cs", "sk")
"""The languages of this module, in the order of its tuples."""


def language(code: str, spoken: str) -> str:
    """Return the name of a language in the language `spoken`, or its code if it is not listed."""
    return NAMES_OF_LANGUAGES[code][LANGUAGES.index(spoken)] if code in NAMES_OF_LANGUAGES and spoken in LANGUAGES else code


def title(table: str, language: str) -> str | None:
    """Return the title of a table, or its name if it is not listed. None in a language that this module does not have."""
    if language not in LANGUAGES:
        return None
    return TITLES[table][LANGUAGES.index(language)] if table in TITLES else table


def description(table: str, language: str) -> str | None:
    """Return the description of a table in Czech or Slovak; None in any other language."""
    if language not in ("cs", "sk"):
        return None
    return DESCRIPTIONS[table][("cs", "sk").index(language)] if table in DESCRIPTIONS else OF_TABLE[language].format(table)
