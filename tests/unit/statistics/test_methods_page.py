"""The examples of docs/methods.md give what stands below them."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from tests.support.command import PROJECT


class TestMethodsPage:
    def test_examples(self, capsys: pytest.CaptureFixture[Any]) -> None:
        page = str(PROJECT / "docs" / "methods.md")
        failed, attempted = doctest.testfile(page, module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
        assert failed == 0, capsys.readouterr().out
        assert attempted > 50
