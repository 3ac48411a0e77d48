"""The wheel works without a clone: installed for reading only, every command runs from it in a folder that was empty."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import current_release
from tests.support import wheel
from tests.support.wheel import Installation

pytestmark = pytest.mark.slow

CARRIED = {
    "pipelines/": "pipelines/", "quality/": "quality/", "exports/": "exports/", "dbt_project/": "pipelines/bundled/dbt_project/",
    "packs/demo/": "pipelines/bundled/demo_pack/", "templates/pack-repository/pack/": "pipelines/bundled/starter_pack/",
}  # fmt: skip
"""Folders of the repository, and where they are in the wheel."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.copy_source(tmp_path_factory.mktemp("wheel") / "source")


@pytest.fixture(scope="module")
def built(source: Path) -> Path:
    """The wheel, built from the sdist as package indexes and `pip install` of an address do."""
    sdist = wheel.build("sdist", source, source.parent / "sdist")
    return wheel.build("wheel", wheel.unpack(sdist, source.parent / "unpacked"), source.parent / "wheel")


@pytest.fixture(scope="module")
def installed(built: Path, source: Path) -> Iterator[Installation]:
    """The installed wheel, which nobody may write to."""
    made = wheel.install(built, source.parent / "venv", source.parent / "empty")
    before = made.state()
    with wheel.read_only(made.root):
        yield made
    assert made.state() == before, "nothing was written to the installation"


def test_the_wheel_carries_what_the_command_needs_and_nothing_else(built: Path) -> None:
    expected = {
        inside + name.removeprefix(folder)
        for name in wheel.committed()
        for folder, inside in CARRIED.items()
        if name.startswith(folder)
    }  # fmt: skip
    assert wheel.files(built) == expected


def test_the_wheel_of_the_sdist_is_that_of_the_repository(built: Path, source: Path) -> None:
    assert wheel.files(wheel.build("wheel", source, source.parent / "direct")) == wheel.files(built)


def test_the_code_comes_from_the_wheel(installed: Installation) -> None:
    script = "import exports, pipelines, quality; print(*(m.__file__ for m in (exports, pipelines, quality)), sep='\\n')"
    done = installed.run("python", "-c", script)
    assert done.returncode == 0, done.stderr
    assert [Path(line).parents[1] for line in done.stdout.splitlines()] == [installed.site] * 3
    assert installed.run("zpo2", "--version").stdout == f"zpo2 {wheel_version(installed)}\n"


def test_the_installation_cannot_be_written_to(installed: Installation) -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and setpriv is not installed: only the state of the files is compared")
    done = installed.run("python", "-c", f"open('{installed.site}/pipelines/bundled/new', 'w')")
    assert done.returncode == 1
    assert "PermissionError" in done.stderr


def wheel_version(installed: Installation) -> str:
    (info,) = installed.site.glob("zpo2_warehouse-*.dist-info")
    return info.name.removeprefix("zpo2_warehouse-").removesuffix(".dist-info")


@pytest.fixture(scope="module")
def demo(installed: Installation) -> Path:
    """The home of the demo pack after `zpo2 run` without any option."""
    done = installed.run("zpo2", "run")
    assert done.returncode == 0, done.stdout + done.stderr
    return installed.folder / "data" / "demo"


def test_run_publishes_the_demo_pack_into_the_working_folder(installed: Installation, demo: Path) -> None:
    assert current_release(demo).is_dir()
    assert [p.name for p in installed.folder.iterdir()] == ["data"]
    again = installed.run("zpo2", "run")
    assert again.returncode == 0, again.stderr
    assert "(unchanged)" in again.stdout
    for words in (["check"], ["status"], ["verify"], ["explain", "population", "CZ", "2021"]):
        done = installed.run("zpo2", *words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_pack_of_the_package_is_not_locked(installed: Installation) -> None:
    done = installed.run("zpo2", "lock")
    assert done.returncode == 2
    assert "belongs to the installed package" in done.stderr


def test_serve_answers(installed: Installation, demo: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = installed.command("zpo2", "serve", "--port", str(port))
    with subprocess.Popen(command, cwd=installed.folder, env=installed.environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert str(port) in server.stdout.readline()
            latest = get(f"http://127.0.0.1:{port}/latest.json")
        finally:
            server.send_signal(signal.SIGINT)
    assert json.loads(latest) == json.loads((demo / "public" / "latest.json").read_bytes())


def get(url: str) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return bytes(answer.read())
        except urllib.error.URLError:
            assert time.monotonic() < deadline, "the server did not answer in time"
            time.sleep(0.2)


def test_init_writes_a_pack_that_runs(installed: Installation) -> None:
    done = installed.run("zpo2", "init", "towns")
    assert done.returncode == 0, done.stderr
    with (installed.folder / "towns" / "pack.yml").open("a", encoding="utf-8") as pack:  # a pack of one's own can be changed
        pack.write("# ours\n")
    assert installed.run("zpo2", "check", "--pack", "towns").returncode == 0
    ran = installed.run("zpo2", "run", "--pack", "towns")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert current_release(installed.folder / "data" / "starter").is_dir()
    shutil.rmtree(installed.folder / "towns")


def test_dagster_loads_the_code_location(installed: Installation, demo: Path) -> None:
    done = installed.run(
        "dagster", "definitions", "validate", "-m", "pipelines.orchestration.definitions", DAGSTER_HOME=str(demo / "dagster")
    )
    assert done.returncode == 0, done.stdout + done.stderr
