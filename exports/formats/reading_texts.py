"""The words of the files that are made to be read, the workbook and the localized CSV, by language. Only data."""

from __future__ import annotations

from collections.abc import Mapping

from exports.model.licences import NO_LICENCE
from pipelines.core.code_texts import Texts, in_language
from pipelines.core.vocabulary import STATUSES

DECIMAL_COMMA = ("cs", "sk", "pl", "hu", "de")
"""The languages that write numbers with a decimal comma."""

WORDS: Mapping[str, Texts] = {
    "readme": ("readme", "čtěte", "čítajte"),
    "definitions": ("definitions", "definice", "definície"),
    "reasons": ("missing values", "chybějící hodnoty", "chýbajúce hodnoty"),
    "indices": ("indices", "indexy", "indexy"),
    "code": ("Code", "Kód", "Kód"),
    "name": ("Name", "Název", "Názov"),
    "level": ("Level", "Úroveň", "Úroveň"),
    "other": ("Other indicators", "Ostatní ukazatele", "Ostatné ukazovatele"),
    "indicator": ("Indicator", "Ukazatel", "Ukazovateľ"),
    "id": ("Id", "Id", "Id"),
    "objective": ("Objective", "Cíl", "Cieľ"),
    "unit": ("Unit", "Jednotka", "Jednotka"),
    "description": ("Description", "Popis", "Opis"),
    "formula": ("Formula", "Vzorec", "Vzorec"),
    "direction": ("Direction", "Směr", "Smer"),
    "period": ("Period", "Období", "Obdobie"),
    "sources": ("Sources", "Zdroje", "Zdroje"),
    "status": ("Status", "Stav", "Stav"),
    "letter": ("Letter", "Písmeno", "Písmeno"),
    "meaning": ("Why there is no value", "Proč hodnota chybí", "Prečo hodnota chýba"),
    "areas": ("Areas", "Počet území", "Počet území"),
    "index": ("Index", "Index", "Index"),
    "score": ("Score", "Skóre", "Skóre"),
    "fifth": ("Fifth (1 is best)", "Pětina (1 je nejlepší)", "Pätina (1 je najlepšia)"),
    "rank": ("Rank", "Pořadí", "Poradie"),
    "rank_low": ("Rank from", "Pořadí od", "Poradie od"),
    "rank_high": ("Rank to", "Pořadí do", "Poradie do"),
    "oldest_input": ("Oldest data", "Nejstarší data", "Najstaršie údaje"),
    "newest_input": ("Newest data", "Nejnovější data", "Najnovšie údaje"),
    "release": ("Release", "Vydání", "Vydanie"),
    "released": ("Released", "Vydáno", "Vydané"),
    "publisher": ("Publisher", "Vydavatel", "Vydavateľ"),
    "licence": ("Licence", "Licence", "Licencia"),
    "no_licence": ("no licence stated", "licence neuvedena", "licencia neuvedená"),
    "source": ("Source", "Zdroj", "Zdroj"),
    "note": ("Note", "Poznámka", "Poznámka"),
    "higher_better": ("higher is better", "vyšší je lepší", "vyššie je lepšie"),
    "lower_better": ("lower is better", "nižší je lepší", "nižšie je lepšie"),
    "target": ("close to the target is better", "lepší je blízko cíle", "lepšie je blízko cieľa"),
    "none": ("neither", "nehodnotí se", "nehodnotí sa"),
    "how_newest": (
        "Each column has the newest period for which the indicator has values; the head of the column names the unit and the period.",
        "Každý sloupec ukazuje nejnovější období, za které má ukazatel hodnoty; jednotka a období jsou v záhlaví sloupce.",
        "Každý stĺpec ukazuje najnovšie obdobie, za ktoré má ukazovateľ hodnoty; jednotka a obdobie sú v záhlaví stĺpca.",
    ),
    "how_missing": (
        "A grey letter stands where there is no value. The sheet of missing values says what the letters mean. An empty cell: the indicator is "
        "not published for this level or area.",
        "Kde hodnota chybí, je šedé písmeno. Co písmena znamenají, říká list chybějících hodnot. Prázdná buňka: ukazatel se za tuto úroveň nebo "
        "toto území neuvádí.",
        "Kde hodnota chýba, je sivé písmeno. Čo písmená znamenajú, hovorí hárok chýbajúcich hodnôt. Prázdna bunka: ukazovateľ sa za túto úroveň "
        "alebo toto územie neuvádza.",
    ),
    "how_rounded": (
        "Values are rounded. The tables of the release (CSV, Parquet) have them in full, with all periods, numerators and denominators.",
        "Hodnoty jsou zaokrouhlené. Nezaokrouhlené, za všechna období a s čitateli i jmenovateli, jsou v tabulkách vydání (CSV, Parquet).",
        "Hodnoty sú zaokrúhlené. Nezaokrúhlené, za všetky obdobia a s čitateľmi aj menovateľmi, sú v tabuľkách vydania (CSV, Parquet).",
    ),
}
"""In the languages of `code_texts.LANGUAGES`, in their order."""


def licence(spdx: str, language: str) -> str:
    """Return an SPDX identifier, or in words that no licence is stated."""
    return word("no_licence", language) if spdx == NO_LICENCE else spdx


def word(name: str, language: str) -> str:
    """Return a word in a language, in English where the language has none."""
    return in_language(WORDS[name], language)


def missing(status: str, language: str) -> str:
    """Return what the code of a missing value means."""
    return STATUSES[status].explanation(language) if status in STATUSES else status


def with_unit(description: str, unit: str | None, language: str) -> str:
    """Return the description of a column with its unit, if it has one, as a sentence after it."""
    return f"{description.rstrip('.')}. {word('unit', language)}: {unit}." if unit else description
