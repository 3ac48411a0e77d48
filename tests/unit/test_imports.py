"""Stand-ins for modules stand only while a library is imported, and never for a module that somebody has imported."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pipelines.core.imports import Empty, ImportedWhenUsed, stand_ins
from tests.support.command import PROJECT, environment

NAME = "colorsys"  # a small module of the standard library that nothing here imports


@pytest.fixture(autouse=True)
def _not_imported() -> Iterator[None]:
    sys.modules.pop(NAME, None)
    yield
    sys.modules.pop(NAME, None)


def test_a_module_is_imported_when_it_is_first_used() -> None:
    with stand_ins({NAME: ImportedWhenUsed(NAME)}):
        module = importlib.import_module(NAME)
    assert NAME not in sys.modules
    assert module.rgb_to_hsv(0, 0, 1) == (2 / 3, 1, 1)
    assert NAME in sys.modules


def test_a_use_inside_puts_the_real_module_in_place() -> None:
    with stand_ins({NAME: ImportedWhenUsed(NAME)}):
        assert importlib.import_module(NAME).rgb_to_hsv(0, 0, 1) == (2 / 3, 1, 1)
    assert hasattr(sys.modules[NAME], "hls_to_rgb")


def test_none_makes_the_import_fail_and_only_inside() -> None:
    with stand_ins({NAME: None}), pytest.raises(ImportError):
        importlib.import_module(NAME)
    assert importlib.import_module(NAME).rgb_to_hsv(0, 0, 1) == (2 / 3, 1, 1)


def test_the_names_of_an_empty_module_are_none() -> None:
    with stand_ins({NAME: Empty(NAME)}):
        assert importlib.import_module(NAME).anything is None
    assert NAME not in sys.modules


def test_an_imported_module_has_no_stand_in() -> None:
    real = importlib.import_module(NAME)
    with stand_ins({NAME: None}):
        assert importlib.import_module(NAME) is real
    assert sys.modules[NAME] is real


def test_an_error_inside_leaves_no_stand_in() -> None:
    with pytest.raises(ZeroDivisionError), stand_ins({NAME: None}):
        _ = 1 / 0
    assert NAME not in sys.modules


@pytest.mark.slow
@pytest.mark.parametrize(
    "use",
    [
        "from quality import expectations; expectations.warm_up()",
        "from quality.contracts import cells, rules; import polars; "
        "rule = rules.ColumnRule(name='a', source='a', type='integer', min=2); "
        "assert cells.find(polars.DataFrame({'a': ['1']}), polars.DataFrame({'a': [1]}), [rule]).height == 1",
    ],
)
def test_checks_do_not_import_spark(use: str) -> None:
    # pyspark ends a process whose main module has neither a file nor a specification, such as those of Dagster's daemon
    code = f"{use}; import sys; print('pyspark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
