"""Tests do not depend on who runs them: a selection passes with a hostile environment, and leaves nothing in the caller's home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import PROJECT

pytestmark = pytest.mark.slow
SELECTION = (
    "tests/unit/test_home.py",
    "tests/unit/test_inbox.py",
    "tests/unit/test_fetch.py",
    "tests/hostile/test_servers.py",
    "tests/integration/test_readme_example.py",
)
NOWHERE = "/nonexistent"
LOCALES = ("tr_TR.UTF-8", "tr_TR.utf8", "C")  # Turkish has two letters i; C has no letters beyond ASCII


def hostile(home: Path, locale: str) -> dict[str, str]:
    """Return an environment in which everything that tests could take from their caller is wrong."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "XDG_", "PYTEST_"))}
    return {
        **kept, "HOME": str(home), "LANG": locale, "LC_ALL": locale, "TZ": "Pacific/Kiritimati",  # the first zone in which a day begins
        "SOURCE_DATE_EPOCH": "1", "PYTHONPATH": NOWHERE,
        "ZPO2_MIRROR": NOWHERE, "ZPO2_HOME": NOWHERE, "ZPO2_PACK": NOWHERE, "ZPO2_ALLOW_HOSTS": "example.org", "ZPO2_SECRET_EVENTS": "x" * 32,
        "DAGSTER_HOME": NOWHERE, "DAGSTER_IS_DEV_CLI": "1",
        "DBT_PROFILES_DIR": NOWHERE, "DBT_PROJECT_DIR": NOWHERE, "DBT_TARGET_PATH": NOWHERE, "DBT_TARGET": "other",
    }  # fmt: skip


def available(locale: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import locale; locale.setlocale(locale.LC_ALL, {locale!r})"], check=False,
                          capture_output=True).returncode == 0  # fmt: skip


def test_a_selection_passes_with_a_hostile_environment(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    locale = next(name for name in LOCALES if available(name))
    command = [sys.executable, "-m", "pytest", "--basetemp", str(tmp_path / "base"), *SELECTION]
    done = subprocess.run(
        command, cwd=PROJECT, env=hostile(home, locale), umask=0o077, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert list(home.iterdir()) == []  # also the superuser, whom the mode does not stop, wrote nothing
