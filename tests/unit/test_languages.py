"""Texts for people exist in every language: those that packs declare, and the descriptions of published tables and columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exports.changes import published
from exports.model.tables import Column
from tests.support import languages
from tests.support.command import PROJECT
from tests.support.one_model import DBT

BLOCK = re.compile(r"\{% docs (\w+) %\}\n(.*?)\n\{% enddocs %\}", re.DOTALL)
ONLY_A_BLOCK = re.compile(r"\{\{ doc\('(\w+)'\) \}\}")
MARTS = {path.stem: path for path in sorted((DBT / "models" / "marts").rglob("*.yml"))}


def blocks(name: str) -> dict[str, str]:
    return dict(BLOCK.findall((DBT / "models" / name).read_text(encoding="utf-8")))


def model(name: str) -> Any:
    return yaml.safe_load(MARTS[name].read_text(encoding="utf-8"))["models"][0]


class TestPacks:
    @pytest.mark.parametrize("pack", ["cz", "demo"])
    def test_every_declared_text_has_every_language_of_the_pack(self, pack: str) -> None:
        assert list(languages.of_pack(PROJECT / "packs" / pack)) == []

    def test_finds_a_text_without_a_language(self, tmp_path: Path) -> None:
        (tmp_path / "pack.yml").write_text("languages: [en, cs]\ntitle: {en: Towns, cs: Obce}\n", encoding="utf-8")
        (tmp_path / "more.yml").write_text("- {title: {en: Only}, unit: persons}\n- {title: {en: A, cs: B}, unit: '%'}\n", encoding="utf-8")
        assert list(languages.of_pack(tmp_path)) == ["more.yml[0].title: no text in cs", "more.yml[0].unit: 'persons' has no language"]


class TestDescriptions:
    @pytest.mark.parametrize("name", MARTS)
    def test_every_table_and_column_is_described_in_czech(self, name: str) -> None:
        table, translated = model(name), blocks("docs_cs.md")
        assert table["config"]["meta"].get("description_cs")
        lacking = []
        for column in table["columns"]:
            block = ONLY_A_BLOCK.fullmatch(column["description"])
            in_czech = translated.get(f"{block[1]}_cs") if block else column.get("config", {}).get("meta", {}).get("description_cs")
            lacking += [] if in_czech else [column["name"]]
        assert lacking == []

    def test_every_czech_block_translates_a_block_that_a_table_uses(self) -> None:
        descriptions = [column["description"] for name in MARTS for column in model(name)["columns"]]
        used = {match[1] for description in descriptions if (match := ONLY_A_BLOCK.fullmatch(description))}
        assert {name.removesuffix("_cs") for name in blocks("docs_cs.md")} == used

    @pytest.mark.parametrize("name", MARTS)
    def test_a_translation_has_the_codes_of_its_original(self, name: str) -> None:
        """Codes are words with an underscore, which no language has."""
        translated, originals = blocks("docs_cs.md"), blocks("docs.md")
        for column in model(name)["columns"]:
            block = ONLY_A_BLOCK.fullmatch(column["description"])
            english = originals[block[1]] if block else column["description"]
            czech = translated[f"{block[1]}_cs"] if block else column["config"]["meta"]["description_cs"]
            codes = [sorted(set(re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b", text))) for text in (english, czech)]
            assert "doc('" in english or codes[0] == codes[1], column["name"]

    @pytest.mark.parametrize("column", [*published.TABLE.columns, *published.REVISIONS.columns], ids=lambda column: column.name)
    def test_changes_are_described_in_czech(self, column: Column) -> None:
        assert published.TABLE.translations["cs"]
        assert column.translations["cs"]
