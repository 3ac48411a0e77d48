"""The texts of the site's interface: every language has every text, with the same places to fill, in all forms that its plurals need."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import product

import pytest
from babel import Locale

from tests.support.command import PROJECT

TEXTS = PROJECT / "site" / "texts"
LANGUAGES = sorted(folder.name for folder in TEXTS.iterdir())
ENGLISH = "en"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LITERAL = re.compile(r"""["'`](?P<key>[a-z_]+\.[A-Za-z0-9_.\-]*)(?P<end>["'`]|\$\{)""")
FILES = (".html", ".json", ".topojson", ".js", ".css", ".csv", ".parquet", ".md", ".tsx", ".ts", ".j2", ".png", ".svg", ".xlsx")
SAME = {"{n} region", "API", "CSV", "Excel", "GeoJSON", "JSON", "Parquet", "PNG", "SVG", "TopoJSON"}
"""Texts that are the same in every language, like abbreviations of one letter."""

Text = str | dict[str, str]


@cache
def texts(language: str) -> dict[str, Text]:
    """Return all texts of a language by key."""
    found: dict[str, Text] = {}
    for path in sorted((TEXTS / language).glob("*.json")):
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


def forms(text: Text) -> list[str]:
    return list(text.values()) if isinstance(text, dict) else [text]


@cache
def literals() -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys that the sources name, and the beginnings of keys that they complete at run time."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    groups = {path.stem for path in (TEXTS / ENGLISH).glob("*.json")}
    folders = (
        (PROJECT / "site" / "src", "*.ts*"),
        (PROJECT / "exports" / "site", "*.py"),
        (PROJECT / "exports" / "site" / "templates", "*.j2"),
    )
    for folder, pattern in folders:
        for path in sorted(folder.rglob(pattern)):
            for found in LITERAL.finditer(path.read_text(encoding="utf-8")):
                key = found["key"]
                if key.partition(".")[0] not in groups or key.endswith(FILES):
                    continue
                (beginnings if found["end"] == "${" or key.endswith((".", "_")) else keys).add(key)
    return frozenset(keys), frozenset(beginnings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_has_the_keys_of_its_group(language: str) -> None:
    for path in sorted((TEXTS / language).iterdir()):
        pairs = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
        keys = [key for key, _ in pairs]
        assert path.suffix == ".json"
        assert [key for key in keys if not key.startswith(f"{path.stem}.")] == [], path
        assert len(keys) == len(set(keys)), f"{path} has a key twice"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_and_no_other(language: str) -> None:
    assert sorted(set(texts(ENGLISH)) - set(texts(language))) == [], f"missing in {language}"
    assert sorted(set(texts(language)) - set(texts(ENGLISH))) == [], f"only in {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_has_blanks_at_its_ends(language: str) -> None:
    assert [key for key, text in texts(language).items() for form in forms(text) if not form or form != form.strip(" \t\n")] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != ENGLISH])
def test_a_text_has_the_same_places_to_fill_as_the_english_one(language: str) -> None:
    """The form for one may say "one" in place of the number."""
    faults = []
    for key, english in texts(ENGLISH).items():
        own = texts(language)[key]
        assert isinstance(own, dict) or not isinstance(english, dict) or "n" not in _filled(english), (
            f"{key} has no plural forms in {language}"
        )
        if (ours := _filled(own) - {"n"}) != (theirs := _filled(english) - {"n"}) or ("n" in _filled(english)) > ("n" in _filled(own)):
            faults.append(f"{key}: {sorted(ours)} instead of {sorted(theirs)}")
    assert faults == []


def _filled(text: Text) -> set[str]:
    return {name for form in forms(text) for name in PLACEHOLDER.findall(form)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_with_a_number_has_all_forms_of_its_language(language: str) -> None:
    """The forms are those of the Unicode CLDR for whole numbers, and `other`, which stands in for the rest."""
    rule = Locale.parse(language).plural_form
    needed = {rule(n) for n in range(200)} | {"other"}
    faults = [
        f"{key}: {sorted(text)}, needed {sorted(needed)}"
        for key, text in texts(language).items()
        if isinstance(text, dict) and not needed <= set(text) <= {*rule.tags, "other"}
    ]
    assert faults == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_that_leaves_its_number_out_is_that_of_one_number_only(language: str) -> None:
    rule = Locale.parse(language).plural_form
    faults = []
    for key, text in texts(language).items():
        if isinstance(text, dict) and "n" in _filled(text):
            silent = {form for form, words in text.items() if "n" not in PLACEHOLDER.findall(words)}
            faults += [f"{key}.{form}" for form in silent if len([n for n in range(200) if rule(n) == form]) != 1]
    assert faults == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != ENGLISH])
def test_no_text_was_left_in_english(language: str) -> None:
    faults = [
        f"{key}: {ours}"
        for key, text in texts(ENGLISH).items()
        for theirs, ours in product(forms(text), forms(texts(language)[key]))
        if theirs == ours and re.search(r"[A-Za-z]{2}", PLACEHOLDER.sub("", ours)) and ours not in SAME
    ]
    assert faults == []


def test_every_text_is_used() -> None:
    keys, beginnings = literals()
    assert sorted(key for key in texts(ENGLISH) if key not in keys and not key.startswith(tuple(beginnings))) == []


def test_every_key_that_a_source_names_has_a_text() -> None:
    keys, beginnings = literals()
    assert sorted(key for key in keys if key not in texts(ENGLISH)) == []
    assert sorted(part for part in beginnings if not any(key.startswith(part) for key in texts(ENGLISH))) == []
