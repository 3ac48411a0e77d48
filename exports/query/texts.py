"""The words of answers and errors, in English and Czech. Only data, and how numbers are written in a language."""

from __future__ import annotations

from collections.abc import Mapping

from exports.formats import reading_texts
from pipelines.core.vocabulary import STATUSES

MOST_DECIMALS = 6
NO_BREAK_SPACE = "\u00a0"
LONGEST_ECHO = 60
"""Characters of a question that an error repeats."""

TEXTS: Mapping[str, tuple[str, str]] = {
    "no_row": (
        "The release has no row for this place and period: the indicator does not apply here, or the place has other borders.",
        "Vydání pro toto území a období nemá řádek: ukazatel se zde neuvádí, nebo má území jiné hranice.",
    ),
    "never_collected": (
        "The indicator is declared, and no data for it are collected yet.",
        "Ukazatel je popsán, data pro něj se zatím nesbírají.",
    ),
    "language": (
        "Language {wanted} is not in this release. It has: {languages}.",
        "Jazyk {wanted} v tomto vydání není. Má: {languages}.",
    ),
    "unknown_place": (
        "There is no place named {place}.{similar} Ask search_places, or ask again with a code.",
        "Území {place} neznám.{similar} Zeptejte se search_places nebo uveďte kód.",
    ),
    "similar": (" Did you mean: {names}?", " Nemysleli jste: {names}?"),
    "namesakes": (
        "There are {count} places named {place}: {names}. Ask again with the code.",
        "Území {place} je {count}: {names}. Zeptejte se znovu s kódem.",
    ),
    "more": ("and {count} more", "a {count} dalších"),
    "unknown_indicator": (
        "There is no indicator {indicator}.{similar} Ask search_indicators, or ask again with the identifier.",
        "Ukazatel {indicator} neznám.{similar} Zeptejte se search_indicators nebo uveďte jeho identifikátor.",
    ),
    "several_indicators": (
        "There are {count} indicators called {indicator}: {names}. Ask again with the identifier.",
        "Ukazatelů {indicator} je {count}: {names}. Zeptejte se znovu s identifikátorem.",
    ),
    "bad_period": (
        "{period} is not a period: write a year (2020), a quarter (2020-Q1), a month (2020-01) or a day (2020-01-31).",
        "{period} není období: napište rok (2020), čtvrtletí (2020-Q1), měsíc (2020-01) nebo den (2020-01-31).",
    ),
    "no_period": (
        "{title} has no period {period} for the level {level}. It has: {periods}. Ask again with one of them.",
        "{title} nemá pro úroveň {level} období {period}. Má: {periods}. Zeptejte se znovu s jedním z nich.",
    ),
    "no_common_period": (
        "{title} has no period in common for the levels {levels}.",
        "{title} nemá pro úrovně {levels} žádné společné období.",
    ),
    "no_level": (
        "{title} is not published for the level {level}, only for: {levels}.{above}",
        "{title} se pro úroveň {level} neuvádí, jen pro: {levels}.{above}",
    ),
    "ask_above": (" Ask for {names}.", " Zeptejte se na {names}."),
    "no_breakdown": (
        "{title} is not published for sex {sex} and age {age}. It has: {breakdowns}.",
        "{title} se pro pohlaví {sex} a věk {age} neuvádí. Má: {breakdowns}.",
    ),
    "unknown_level": (
        "There is no level {level}. The release has: {levels}.",
        "Úroveň {level} neznám. Vydání má: {levels}.",
    ),
    "nothing_within": (
        "{place} has no places of the level {level} in it. It has: {levels}.",
        "Území {place} v sobě nemá území úrovně {level}. Má: {levels}.",
    ),
    "not_within": (
        "{place} is not among the places of the level {level} in {within}.",
        "{place} nepatří k území úrovně {level} v: {within}.",
    ),
    "unknown_index": ("There is no index {index}. The release has: {indices}.", "Index {index} neznám. Vydání má: {indices}."),
    "unknown_component": (
        "Index {index} has no component {component}. It has: {components}.",
        "Index {index} nemá složku {component}. Má: {components}.",
    ),
    "no_peers": ("The release has no similar places for {place}.", "Vydání nemá pro {place} podobná území."),
    "no_table": ("This release does not have the table {table}.", "Toto vydání nemá tabulku {table}."),
    "twice": ("{place} was given twice.", "{place} je uvedeno dvakrát."),
    "contained": (
        "{inner} lies in {outer}: a group must not count anybody twice. Leave one of them out.",
        "{inner} leží v území {outer}: ve skupině se nesmí nikdo počítat dvakrát. Jedno z nich vynechte.",
    ),
    "overlap": (
        "{first} and {second} have places in common ({example}): a group must not count anybody twice.",
        "{first} a {second} mají společná území ({example}): ve skupině se nesmí nikdo počítat dvakrát.",
    ),
    "not_additive": (
        "{title} cannot be computed for a group: its value is not numerator over denominator ({formula}). Compare the places one by one.",
        "{title} nelze spočítat za skupinu: hodnota není podíl čitatele a jmenovatele ({formula}). Porovnejte území jednotlivě.",
    ),
    "group_missing": (
        "The value is null because {count} of {total} places have no value. Leave them out, or ask with skip_missing.",
        "Hodnota je prázdná, protože {count} z {total} území nemá hodnotu. Vynechte je, nebo se zeptejte se skip_missing.",
    ),
    "group_skipped": (
        "{count} of {total} places have no value and are not in this number.",
        "{count} z {total} území nemá hodnotu a v čísle není.",
    ),
    "group_zero": ("The sum of the denominators is 0: nothing can be divided.", "Součet jmenovatelů je 0: není čím dělit."),
    "not_each_other": (
        "The release compares places with the state and with similar places; it does not test places against each other.",
        "Vydání srovnává území se státem a s podobnými územími; území mezi sebou netestuje.",
    ),
    "compared_period": (
        "The release compares only the newest period, {period}.",
        "Vydání srovnává jen nejnovější období, {period}.",
    ),
    "depends_on_size": (
        "The value depends on the size of the place. It is compared only with similar places, never with the state.",
        "Hodnota závisí na velikosti území. Srovnává se jen s podobnými územími, nikdy se státem.",
    ),
    "no_direction": (
        "Neither high nor low values are better; the order is by value only.",
        "Vyšší ani nižší hodnota není lepší; pořadí je jen podle hodnoty.",
    ),
    "chance": (
        "Places whose intervals overlap may be in another order: position_low and position_high say how far.",
        "Území s překrývajícími se intervaly mohou být v jiném pořadí: jak moc, říká position_low a position_high.",
    ),
    "rank_whole": (
        "Ranks and fifths are those among all ranked places of the level, also within a territory.",
        "Pořadí a pětiny jsou mezi všemi hodnocenými územími úrovně, i když se ptáte na část.",
    ),
    "broken": ("There is a break in the series in: {periods}.", "V řadě je zlom v: {periods}."),
    "gone": ("{place} ceased to exist on {day}.", "{place} zaniklo {day}."),
    "peers": ("similar places together", "podobná území dohromady"),
    "better": ("better than {against}, with {significance} % certainty", "lepší než {against}, s jistotou {significance} %"),
    "worse": ("worse than {against}, with {significance} % certainty", "horší než {against}, s jistotou {significance} %"),
    "higher": ("higher than {against}, with {significance} % certainty", "vyšší než {against}, s jistotou {significance} %"),
    "lower": ("lower than {against}, with {significance} % certainty", "nižší než {against}, s jistotou {significance} %"),
    "similar_to": ("no difference from {against} beyond chance", "od území {against} se neliší víc, než odpovídá náhodě"),
    "not_compared": ("not compared with {against}: {reason}", "nesrovnává se ({against}): {reason}"),
    "reason_no_value": ("there is no value", "hodnota chybí"),
    "reason_no_interval": ("the value has no interval", "hodnota nemá interval"),
    "reason_too_few": ("the denominator is below 10", "jmenovatel je menší než 10"),
    "reason_no_reference": ("the reference has no value", "srovnávané území nemá hodnotu"),
    "reason_depends_on_size": ("the value depends on the size of the place", "hodnota závisí na velikosti území"),
}


def text(name: str, language: str, **parts: object) -> str:
    """Return a text in Czech, or in English for all other languages, with `parts` put in."""
    english, czech = TEXTS[name]
    return (czech if language == "cs" else english).format(**parts)


def status(code: str | None, language: str) -> str:
    """Return what a code of a status means; the text for a cell without a row if there is none."""
    if code is None:
        return text("no_row", language)
    return STATUSES[code].explanation(language) if code in STATUSES else code


def statuses(language: str) -> dict[str, str]:
    """Return the code list of statuses."""
    return {code: status(code, language) for code in STATUSES}


def number(value: float, decimals: int | None, language: str) -> str:
    """Return a number as readers of a language write it, rounded to `decimals`, or to 12 digits if that is None."""
    if decimals is None:
        written = f"{value:,.12f}".rstrip("0").rstrip(".") if abs(value) < 10**12 else f"{value:.12g}"
    else:
        written = f"{value:,.{min(max(decimals, 0), MOST_DECIMALS)}f}"
    if language in reading_texts.DECIMAL_COMMA:
        written = written.replace(",", NO_BREAK_SPACE).replace(".", ",")
    return written.removeprefix("-") if written.strip("-0.,") == "" else written


def with_unit(written: str, unit: str) -> str:
    """Return a written number with its unit."""
    return f"{written}{NO_BREAK_SPACE}{unit}" if unit and unit != "1" else written


def echo(question: str) -> str:
    """Return the beginning of a text that was asked for, on one line, for an error."""
    shown = " ".join("".join(sign for sign in question if sign.isprintable()).split())
    return shown if len(shown) <= LONGEST_ECHO else f"{shown[:LONGEST_ECHO]}…"
