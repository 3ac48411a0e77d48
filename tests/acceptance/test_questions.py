"""The ten questions of docs/questions.md: DuckDB, pandas and R give the same answers from the files of the demo release."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.command import PROJECT

pytestmark = pytest.mark.acceptance
PAGE = (PROJECT / "docs" / "questions.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^## (\d+)\. (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)


def block(text: str, language: str) -> str | None:
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else None


def plain(rows: Iterator[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows with None for a value that is not a number."""
    return [tuple(None if isinstance(cell, float) and math.isnan(cell) else cell for cell in row) for row in rows]


def test_there_are_ten_questions() -> None:
    assert [int(number) for number, _, _ in QUESTIONS] == list(range(1, 11))
    assert sum(block(text, "r") is not None for _, _, text in QUESTIONS) == 2


@pytest.mark.parametrize(("question", "text"), [(question, text) for _, question, text in QUESTIONS], ids=lambda value: value[:40])
def test_duckdb_and_pandas_agree(question: str, text: str, demo_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo_release)
    sql, python = block(text, "sql"), block(text, "python")
    assert sql
    assert python
    rows = plain(iter(duckdb.sql(sql).fetchall()))
    scope: dict[str, Any] = {}
    exec(python, scope)
    assert plain(scope["answer"].itertuples(index=False, name=None)) == rows
    if "missing" not in question:
        assert rows, "the demo release has an answer"


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_agrees(demo_release: Path) -> None:
    for _, question, text in QUESTIONS:
        if (code := block(text, "r")) is not None:
            done = subprocess.run(
                ["Rscript", "-e", f"{code}\ncat(nrow(answer), sum(answer[[2]]))"],
                cwd=demo_release,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{question}: {done.stderr}"
            count, total = map(float, done.stdout.split())
            sql = block(text, "sql")
            assert sql
            expected = duckdb.sql(sql.replace("'topics/", f"'{demo_release}/topics/")).fetchall()
            assert count == len(expected)
            assert total == pytest.approx(sum(row[1] for row in expected), rel=1e-3)
