"""The releases of the real packs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import current_release
from tests.support.command import PROJECT, zpo2


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
