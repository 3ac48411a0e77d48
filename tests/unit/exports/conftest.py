"""Fixtures: a warehouse and a first release, made once per module."""

from __future__ import annotations

from pathlib import Path

import pushing
import pytest
import release_sample
from release_sample import Home


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_sample.warehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb")


@pytest.fixture(scope="module")
def changed_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same warehouse with one more area."""
    path = tmp_path_factory.mktemp("changed") / "warehouse.duckdb"
    return release_sample.warehouse(path, "insert into marts.areas values ('CZ_4', '', 'lau', 1e-20, '')")


@pytest.fixture(scope="module")
def release(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release. Tests that damage it use a copy."""
    return Home(tmp_path_factory.mktemp("home")).build(warehouse).path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def two_releases(warehouse: Path, changed_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two releases. Tests that change it use a copy."""
    return pushing.home_with_two_releases(tmp_path_factory.mktemp("pushed") / "home", warehouse, changed_warehouse)
