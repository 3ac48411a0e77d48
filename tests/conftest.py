"""Fixtures over all tests: a release of a small pack, and the release of the real one where its data are there."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support import decade_pack, five_places, namesakes_pack, rules_pack
from tests.support.command import EPOCH, MIRROR, PROJECT, zpo2

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("tests", deadline=None)  # a busy machine is no fault
settings.load_profile("tests")


@pytest.fixture(scope="session")
def five_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run of the five-places pack, which lies beside it in `pack`. All workers share it: who changes it takes a copy."""
    return _shared(tmp_path_factory, "five", five_places.write, 0) / "home"


@pytest.fixture(scope="session")
def rules_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run of the pack made for the evaluator's rules, which lies beside it in `pack`; shared as five_home is."""
    return _shared(tmp_path_factory, "rules", rules_pack.write, 3, *rules_pack.ACCEPT) / "home"  # 3: the optional source `late` never came


@pytest.fixture(scope="session")
def decade_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run of the pack made for changes of areas and long series, which lies beside it in `pack`; shared as five_home is."""
    return _shared(tmp_path_factory, "decade", decade_pack.write, 0) / "home"


@pytest.fixture(scope="session")
def namesakes_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the pack with municipalities of one name and confidential counts; shared as five_home is."""
    return current_release(_shared(tmp_path_factory, "namesakes", namesakes_pack.write, 0) / "home")


def _shared(tmp_path_factory: pytest.TempPathFactory, name: str, write: Callable[[Path], Path], expected: int, *options: str) -> Path:
    """Return a folder with a pack and the home of its run."""

    def make(root: Path) -> None:
        done = zpo2("run", "--pack", write(root / "pack"), "--home", root / "home", *options, SOURCE_DATE_EPOCH=EPOCH)
        assert done.returncode == expected, done.stdout + done.stderr

    return _made_once(tmp_path_factory, name, make)


def _run_once(tmp_path_factory: pytest.TempPathFactory, name: str, timeout: float = 600, **variables: str) -> Path:
    """Return the home of a pack of the project in `data`, run here unless it is already current."""
    home = PROJECT / "data" / name

    def make(_: Path) -> None:
        done = zpo2("run", "--pack", PROJECT / "packs" / name, "--home", home, timeout=timeout, **variables)
        assert done.returncode == 0, done.stdout + done.stderr

    _made_once(tmp_path_factory, f"run-of-{name}", make)
    return home


def _made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of that name of all workers, after whichever of them came first has called `make` on it."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    root.mkdir(exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits for the first
        if not (root / "done").exists():
            make(root)
            (root / "done").touch()
    return root


@pytest.fixture(scope="session")
def five_release(five_home: Path) -> Path:
    return current_release(five_home)


@pytest.fixture(scope="session")
def demo_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of packs/demo; shared as five_home is."""
    return current_release(_run_once(tmp_path_factory, "demo"))


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of packs/demo's home."""
    unneeded = shutil.ignore_patterns(".part-*", "run.lock", "dagster", "staging", "inbox")
    return shutil.copytree(_run_once(tmp_path_factory, "demo"), tmp_path_factory.mktemp("demo") / "home", ignore=unneeded)


@pytest.fixture(scope="session")
def cz_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of packs/cz; shared as five_home is."""
    if not MIRROR.is_dir():
        pytest.skip(f"{MIRROR} does not exist: the real pack cannot be run offline")
    return _run_once(tmp_path_factory, "cz", timeout=1800, ZPO2_MIRROR=str(MIRROR))


@pytest.fixture(scope="session")
def cz_release(cz_home: Path) -> Path:
    return current_release(cz_home)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; skipped where none can be had. It ends with the module, since other modules of the process call `asyncio.run`."""
    from tests.support.browser import running

    with running() as started:
        yield started


def current_release(home: Path) -> Path:
    latest = json.loads((home / "public" / "latest.json").read_text(encoding="utf-8"))
    return home / "public" / latest["path"]


# files of minutes, the longest first: no worker is left with one of them at the end; the first runs packs/cz
LONGEST = (
    "test_cz_figures", "test_spark", "test_develop_pages", "test_daemon", "test_changed_inputs", "test_v4_figures",
    "test_pack_repository", "test_operations", "test_corpus", "test_runs", "test_release_transaction", "test_killed_runs",
    "test_release_reuse", "test_same_bytes", "test_announcements", "test_exhausting", "test_polling", "test_postgres_kills",
    "test_unattended", "test_site_hostile", "test_dagster", "test_wheel", "test_command_help", "test_dbt_project",
    "test_published_formats", "test_dbt_process", "test_guards", "test_push_s3", "test_starter_pack", "test_release_under_fire",
    "test_caller_environment", "test_containers", "test_confidential_counts", "test_run_beside_servers", "test_changes", "test_counts",
    "test_sums", "test_push_ckan", "test_typical_mistakes", "test_properties", "test_vintage", "test_postgres", "test_readme_example",
    "test_contract_rules", "test_personal_data", "test_local_feeds",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take slow files first, and what waits for the run of packs/cz last."""

    def place(item: pytest.Item) -> int:
        if item.path.stem in LONGEST:
            return LONGEST.index(item.path.stem)
        waits = item.get_closest_marker("acceptance") is not None
        return len(LONGEST) + (2 if waits else item.get_closest_marker("slow") is None)

    items.sort(key=place)
