"""codelists/: the meaning of the codes in `obs_status` and `sex`. `csvw` writes their metadata together with those of all CSV files.

Names and explanations have a column for each language of the pack that they exist in, as texts have in the published tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exports.model.info import Context
from exports.model.tables import Column, Table
from pipelines.core.code_texts import LANGUAGES, translated
from pipelines.core.vocabulary import SEXES, STATUSES, sex_name

OBS_STATUS, SEX = "obs_status", "sex"
KEY = "code"
NAMES = (OBS_STATUS, SEX)


def tables(languages: Sequence[str]) -> tuple[Table, Table]:
    """Return the code lists with the columns that a pack in `languages` has."""
    status = Table(
        OBS_STATUS,
        "The code list of the column obs_status, which says why a value is missing or what users should know about it.",
        (
            Column(KEY, "VARCHAR", "The code in obs_status", translations={"cs": "Kód ve sloupci obs_status"}),
            *_texts("name", languages, ("Its name", "Název", "Názov")),
            *_texts("explanation", languages, ("What it says about the value", "Co o hodnotě říká", "Čo o hodnote hovorí")),
            Column(
                "has_value",
                "VARCHAR",
                "true if rows with this code have a value, otherwise false",
                translations={"cs": "true, pokud řádky s tímto kódem mají hodnotu, jinak false"},
            ),
            Column(
                "sdmx",
                "VARCHAR",
                "The code from SDMX's code list CL_OBS_STATUS that the SDMX and JSON-stat files use instead",
                translations={"cs": "Kód z číselníku CL_OBS_STATUS standardu SDMX, který místo něj používají soubory SDMX a JSON-stat"},
            ),
        ),
        (KEY,),
        translations={"cs": "Číselník sloupce obs_status, který říká, proč hodnota chybí nebo co o ní mají uživatelé vědět."},
    )
    sex = Table(
        SEX,
        "The code list of the column sex.",
        (
            Column(KEY, "VARCHAR", "The code in sex", translations={"cs": "Kód ve sloupci sex"}),
            *_texts("name", languages, ("Its name", "Název", "Názov")),
        ),
        (KEY,),
        translations={"cs": "Číselník sloupce sex (pohlaví)."},
    )
    return status, sex


def _texts(name: str, languages: Sequence[str], meaning: Sequence[str]) -> Iterable[Column]:
    translations = dict(zip(LANGUAGES[1:], meaning[1:], strict=True))
    for language in translated(languages):
        stated = {other: f"{text} ({language})" for other, text in translations.items()}
        yield Column(f"{name}_{language}", "VARCHAR", f"{meaning[0]} in language {language}", translations=stated)


def path(name: str) -> str:
    return f"codelists/{name}.csv"


def descriptor(context: Context) -> dict[str, bytes]:
    languages = translated(context.info.languages)
    statuses = [
        (
            code,
            *(status.name(language) for language in languages),
            *(status.explanation(language) for language in languages),
            str(status.has_value).lower(),
            status.sdmx,
        )
        for code, status in sorted(STATUSES.items())
    ]
    sexes = [(code, *(sex_name(code, language) for language in languages)) for code in sorted(SEXES)]
    listed = zip(tables(context.info.languages), (statuses, sexes), strict=True)
    return {path(table.name): _csv(table, rows) for table, rows in listed}


def _csv(table: Table, rows: Iterable[tuple[str, ...]]) -> bytes:
    """Return CSV without quotes where no text needs them."""
    lines = [",".join(column.name for column in table.columns), *(",".join(map(_cell, row)) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n') else text
