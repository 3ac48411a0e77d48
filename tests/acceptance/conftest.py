"""The releases of the real packs, and the same served as a static host does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import current_release
from tests.support import static_server
from tests.support.command import PROJECT, zpo2
from tests.support.site_views import Views


@pytest.fixture(scope="session")
def demo_release() -> Path:
    """The release of packs/demo, run here unless it is already current."""
    home = PROJECT / "data" / "demo"
    done = zpo2("run", "--pack", PROJECT / "packs" / "demo", "--home", home)
    assert done.returncode == 0, done.stdout + done.stderr
    return current_release(home)


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
