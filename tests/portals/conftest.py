"""Tests against a real CKAN and a real S3 server. They run only if REAL_PORTALS names the folder of the servers: `make portals`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "exports"))

FOLDER = os.environ.get("REAL_PORTALS", "")
collect_ignore_glob = [] if FOLDER else ["test_*.py"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two releases."""
    import pushing
    import release_sample

    folder = tmp_path_factory.mktemp("releases")
    first = release_sample.warehouse(folder / "first.duckdb")
    second = release_sample.warehouse(folder / "second.duckdb", "insert into marts.areas values ('CZ_4', '', 'lau', 1e-20, '')")
    return pushing.home_with_two_releases(folder / "home", first, second)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 server with an empty store."""
    from tests.portals import s3_server

    folder = tmp_path_factory.mktemp("ceph")
    try:
        s3_server.start(folder)
        yield s3_server.URL
    finally:
        s3_server.stop(folder)


@pytest.fixture(scope="session")
def ckan() -> Iterator[dict[str, str]]:
    """The tokens of an empty CKAN: `administrator`, and `publisher`, who is an editor of one organisation."""
    from tests.portals import ckan_server

    folder = Path(FOLDER)
    try:
        ckan_server.start(folder)
        yield json.loads((folder / "access.json").read_text(encoding="utf-8"))
    finally:
        ckan_server.stop(folder)
