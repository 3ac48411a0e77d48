"""The releases of the real packs, and the same served as a static host does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import static_server
from tests.support.site_views import Views


@pytest.fixture(params=["demo", "cz"])
def real(request: pytest.FixtureRequest) -> Path:
    release: Path = request.getfixturevalue(f"{request.param}_release")
    return release


@pytest.fixture(scope="module")
def demo_site(demo_release: Path) -> Iterator[tuple[str, Views]]:
    """The address of the release of packs/demo, and what its site can show."""
    with static_server.serving(demo_release) as base:
        yield base, Views(demo_release)


@pytest.fixture(scope="module")
def cz_site(cz_release: Path) -> Iterator[tuple[str, Views]]:
    """The address of the release of packs/cz, and what its site can show."""
    with static_server.serving(cz_release) as base:
        yield base, Views(cz_release)
