"""Fixtures: warehouses and releases, made once per process, and workspaces to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pushing
import pytest
import release_sample
from release_sample import Home

from tests.conftest import current_release


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_sample.warehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb")


@pytest.fixture(scope="session")
def changed_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same warehouse with one more area."""
    path = tmp_path_factory.mktemp("changed") / "warehouse.duckdb"
    return release_sample.warehouse(path, "insert into marts.areas values ('CZ_4', '', 'lau', 1e-20, '')")


@pytest.fixture(scope="session")
def first_home(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A workspace with a release of `warehouse`. Tests that change it use a copy."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.build(warehouse)
    return home


@pytest.fixture(scope="session")
def release(first_home: Home) -> Path:
    """The folder of a release. Tests that damage it use a copy."""
    return current_release(first_home.root)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty workspace."""
    return Home(tmp_path / "home")


@pytest.fixture
def home_with_release(first_home: Home, tmp_path: Path) -> Home:
    """A workspace with a release of `warehouse`, to change."""
    return Home(shutil.copytree(first_home.root, tmp_path / "home", symlinks=True))


@pytest.fixture(scope="session")
def two_releases(warehouse: Path, changed_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two releases. Tests that change it use a copy."""
    return pushing.home_with_two_releases(tmp_path_factory.mktemp("pushed") / "home", warehouse, changed_warehouse)
