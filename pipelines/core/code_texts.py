"""Names and explanations of the codes of observations by language. Only data; `vocabulary` has the codes and their meaning for programs.

A new language needs an entry in LANGUAGES and a text of it in every list here and in the other modules that
`tests/unit/exports/test_languages.py` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

LANGUAGES = ("en", "cs", "sk")
"""The languages that released texts exist in, in the order of all tuples of texts."""
Texts = tuple[str, str, str]
"""A text in each of LANGUAGES."""

STATUS_NAMES: Mapping[str, Texts] = {
    "A": ("normal", "normální hodnota", "normálna hodnota"),
    "B": ("break in series", "zlom v řadě", "zlom v rade"),
    "E": ("estimated", "odhad", "odhad"),
    "I": ("imputed", "imputovaná hodnota", "imputovaná hodnota"),
    "P": ("provisional", "předběžná hodnota", "predbežná hodnota"),
    "M": ("missing at source", "chybí ve zdroji", "chýba v zdroji"),
    "L": ("coverage too low", "příliš nízké pokrytí", "príliš nízke pokrytie"),
    "Q": ("quarantined", "v karanténě", "v karanténe"),
    "C": ("confidential", "důvěrný údaj", "dôverný údaj"),
    "O": ("not collected here", "zde se nezjišťuje", "tu sa nezisťuje"),
    "Z": ("not defined", "není definováno", "nie je definované"),
    "S": ("source down", "zdroj nedostupný", "zdroj nedostupný"),
}

STATUS_EXPLANATIONS: Mapping[str, Texts] = {
    "A": ("a value without reservations", "hodnota bez výhrad", "hodnota bez výhrad"),
    "B": (
        "a value that cannot simply be compared with earlier periods: its definition, method or territory changed",
        "hodnota, kterou nelze přímo srovnávat s dřívějšími obdobími: změnila se její definice, metoda nebo území",
        "hodnota, ktorú nemožno priamo porovnávať so skoršími obdobiami: zmenila sa jej definícia, metóda alebo územie",
    ),
    "E": (
        "an estimate, by the source or of the share that belongs to the area of today",
        "odhad zdroje, nebo odhad části, která připadá na dnešní území",
        "odhad zdroja, alebo odhad časti, ktorá pripadá na dnešné územie",
    ),
    "I": (
        "computed from other values, because the value itself was missing",
        "dopočteno z jiných hodnot, protože vlastní hodnota chyběla",
        "dopočítané z iných hodnôt, pretože vlastná hodnota chýbala",
    ),
    "P": (
        "a value that the source may still revise",
        "hodnota, kterou zdroj ještě může zpřesnit",
        "hodnota, ktorú zdroj ešte môže spresniť",
    ),
    "M": ("the source has no value", "hodnota ve zdroji chybí", "hodnota v zdroji chýba"),
    "L": (
        "too few areas below have values",
        "hodnotu má příliš málo podřízených území",
        "hodnotu má príliš málo podriadených území",
    ),
    "Q": (
        "the value at the source is wrong and was held back",
        "hodnota ve zdroji je chybná a nebyla použita",
        "hodnota v zdroji je chybná a nebola použitá",
    ),
    "C": (
        "confidential: it could reveal something about single persons or firms",
        "důvěrný údaj: mohl by vypovídat o jednotlivých osobách nebo firmách",
        "dôverný údaj: mohol by vypovedať o jednotlivých osobách alebo firmách",
    ),
    "O": ("not collected here", "údaj se zde nezjišťuje", "údaj sa tu nezisťuje"),
    "Z": ("not defined: there is nothing to measure", "není definováno: není co měřit", "nie je definované: nie je čo merať"),
    "S": ("the source was not reachable", "zdroj nebyl dostupný", "zdroj nebol dostupný"),
}
"""What a status says, as a phrase for readers."""

PRESENCES: Mapping[bool, Texts] = {
    True: ("with a value", "s hodnotou", "s hodnotou"),
    False: ("without a value", "bez hodnoty", "bez hodnoty"),
}
"""Whether a value comes with a status."""

SDMX_STATUS_NAMES: Mapping[str, Texts] = {
    "A": ("Normal value", "Normální hodnota", "Normálna hodnota"),
    "B": ("Time series break", "Zlom v časové řadě", "Zlom v časovom rade"),
    "E": ("Estimated value", "Odhadovaná hodnota", "Odhadovaná hodnota"),
    "I": ("Imputed value", "Imputovaná hodnota", "Imputovaná hodnota"),
    "P": ("Provisional value", "Předběžná hodnota", "Predbežná hodnota"),
    "O": ("Missing value", "Chybějící hodnota", "Chýbajúca hodnota"),
    "Q": ("Missing value; suppressed", "Chybějící hodnota; důvěrný údaj", "Chýbajúca hodnota; dôverný údaj"),
    "L": (
        "Missing value; data exist but were not collected",
        "Chybějící hodnota; údaje existují, ale nebyly zjišťovány",
        "Chýbajúca hodnota; údaje existujú, ale neboli zisťované",
    ),
    "M": ("Missing value; data cannot exist", "Chybějící hodnota; údaje nemohou existovat", "Chýbajúca hodnota; údaje nemôžu existovať"),
}
"""By the codes of SDMX's CL_OBS_STATUS that `vocabulary.STATUSES` maps to."""

SEX_NAMES: Mapping[str, Texts] = {
    "F": ("women", "ženy", "ženy"),
    "M": ("men", "muži", "muži"),
    "_T": ("total", "celkem", "spolu"),
    "_U": ("unknown", "neuvedeno", "neuvedené"),
}
ALL_AGES: Texts = ("all ages", "všechny věky", "všetky veky")

UNITS: Mapping[str, Texts] = {
    "areas": ("areas", "území", "územia"),
    "byte": ("byte", "bajt", "bajt"),
    "cells": ("cells", "buňky", "bunky"),
    "degree": ("degree", "stupeň", "stupeň"),
    "indicators": ("indicators", "ukazatele", "ukazovatele"),
    "per year": ("per year", "za rok", "za rok"),
    "periods": ("periods", "období", "obdobia"),
    "rows": ("rows", "řádky", "riadky"),
    "standard deviations": ("standard deviations", "směrodatné odchylky", "smerodajné odchýlky"),
}
"""The units of columns that are words. Symbols such as % are the same in every language."""


def in_language(texts: Sequence[str], language: str) -> str:
    """Return a text in `language`, in English where there is none."""
    return texts[LANGUAGES.index(language)] if language in LANGUAGES else texts[0]


def by_language(texts: Sequence[str], languages: Iterable[str]) -> dict[str, str]:
    """Return a text in those of `languages` that it exists in; in English if there is none of them."""
    return {language: in_language(texts, language) for language in translated(languages)}


def translated(languages: Iterable[str]) -> tuple[str, ...]:
    """Return those of `languages` that released texts exist in; English if there is none of them."""
    return tuple(language for language in languages if language in LANGUAGES) or ("en",)
