"""Dockerfile, .dockerignore and compose.yaml, as far as they can be checked without a container engine.

The services' own commands are started in plain folders with the variables that the image and compose.yaml give them.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import current_release
from tests.support import wheel
from tests.support.command import EPOCH, PROJECT, environment

COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "zpo2-warehouse"}
LASTING = {"daemon", "ui", "events"}
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    (line.split()[0], line.split(maxsplit=1)[1])
    for line in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
    if line.strip()
]
IMAGE = dict(word.split("=", 1) for name, rest in INSTRUCTIONS if name == "ENV" for word in rest.split())
SECRET = "only-for-this-test-0123456789"
START_SECONDS = 180.0


# ---- the image


def test_the_image_runs_as_a_user_without_rights_and_has_one_volume() -> None:
    last = [name for name, _ in INSTRUCTIONS]
    rest = dict(INSTRUCTIONS)
    assert rest["USER"].isdigit(), "a number: an orchestrator can see that it is not root"
    assert rest["USER"] != "0"
    assert f"--uid {rest['USER']} " in DOCKERFILE
    assert last.index("USER") < last.index("CMD")
    assert [text for name, text in INSTRUCTIONS if name == "VOLUME"] == [IMAGE["ZPO2_HOME"]]
    assert IMAGE["DAGSTER_HOME"] == IMAGE["ZPO2_HOME"] + "/dagster"
    assert f"install -d -o zpo2 -g zpo2 {IMAGE['ZPO2_HOME']}" in DOCKERFILE


def test_images_have_ordinary_names() -> None:
    bases = [text.split()[0] for name, text in INSTRUCTIONS if name == "FROM"]
    stages = {text.split()[2] for name, text in INSTRUCTIONS if name == "FROM" and " AS " in text}
    images = {*bases, *(service["image"] for service in SERVICES.values())} - stages
    assert [image for image in images if "/" in image or not re.fullmatch(r"[a-z0-9-]+(:[a-z0-9.-]+)?", image)] == []


def test_the_python_of_the_image_is_one_that_the_project_takes() -> None:
    base = re.search(r"^FROM python:(\d+)\.(\d+)-", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert (int(base[1]), int(base[2])) == sys.version_info[:2], "the locks are tested with this version"


def test_every_library_of_the_image_is_checked_against_its_hash() -> None:
    installs = [part for name, text in INSTRUCTIONS if name == "RUN" for part in text.split("&&") if "pip install" in part]
    assert all("--no-deps" in part for part in installs)
    assert [
        part
        for part in installs
        if "--require-hashes" not in part and not part.strip().startswith("pip install --no-cache-dir --no-deps /wheel/")
    ] == []


def test_the_libraries_for_postgresql_are_taken_from_the_lock(tmp_path: Path) -> None:
    command = next(text for name, text in INSTRUCTIONS if name == "RUN" and "postgres.lock" in text).partition("&&")[0]
    shutil.copy(PROJECT / "requirements-dev.lock", tmp_path)
    subprocess.run(["sh", "-c", command.replace("/locks/", f"{tmp_path}/")], check=True)
    text = (tmp_path / "postgres.lock").read_text(encoding="utf-8")
    entries = re.split(r"(?<!\\)\n", text.strip())
    assert [re.split("==", entry)[0] for entry in entries] == ["dagster-postgres", "psycopg2-binary"]
    assert all("--hash=sha256:" in entry for entry in entries)


def ignored(name: str) -> bool:
    """Return whether .dockerignore leaves a file out: the last pattern that meets it, or a folder above it, decides."""
    patterns = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    above = [name, *(str(parent) for parent in Path(name).parents if str(parent) != ".")]
    out = False
    for pattern in patterns:
        plain = pattern.removeprefix("!")
        met = any(
            fnmatch.fnmatch(path, plain) or (plain.startswith("**/") and fnmatch.fnmatch(Path(path).name, plain[3:])) for path in above
        )
        out = (pattern[0] != "!") if met else out
    return out


@pytest.mark.slow
def test_the_wheel_of_the_image_is_that_of_the_repository(tmp_path: Path) -> None:
    source = wheel.copy_source(tmp_path / "source")
    sent = tmp_path / "sent"
    for name in wheel.committed():
        if not ignored(name):
            (sent / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, sent / name)
    assert not (sent / "tests").exists()
    assert not ignored("requirements.lock")
    assert wheel.files(wheel.build("wheel", sent, tmp_path / "of-image")) == wheel.files(wheel.build("wheel", source, tmp_path / "whole"))


@pytest.mark.parametrize("name", ["secrets.env", ".env", "data/demo/home.json", ".git/config", "pipelines/__pycache__/cli.pyc"])
def test_secrets_and_data_are_not_sent_to_the_builder(name: str) -> None:
    assert ignored(name)


# ---- compose.yaml


@pytest.mark.parametrize("name", sorted({*OURS, "web"}))
def test_a_service_has_no_rights_and_writes_to_the_home_only(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    writable = [volume for volume in service["volumes"] if not volume.endswith(":ro")]
    assert writable == ([f"home:{IMAGE['ZPO2_HOME']}"] if name in OURS else [])


def test_files_that_are_mounted_are_there() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", []) if volume.startswith("./")}
    assert mounted == {"./docs/operations/nginx.conf", "./docs/operations/dagster-postgres.yaml"}
    assert [name for name in mounted if not (PROJECT / name).is_file()] == []
    assert "${ZPO2_PACK:-./packs/demo}:/pack:ro" in OURS["daemon"]["volumes"]
    assert (PROJECT / "packs" / "demo" / "pack.yml").is_file()


def test_only_the_releases_and_what_needs_a_password_are_offered_and_only_to_this_machine() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "ui": ["127.0.0.1:3000:3000"], "events": ["127.0.0.1:3001:3001"], "web": ["127.0.0.1:8080:80"],
    }  # fmt: skip
    listens = re.search(r"listen (\d+);\s+server_name", (PROJECT / "docs" / "operations" / "nginx.conf").read_text())
    assert listens is not None
    assert SERVICES["web"]["ports"][0].endswith(f":{listens[1]}")


def test_services_wait_for_services_that_exist() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES
            optional = "profiles" in SERVICES[other] and "profiles" not in service
            assert how.get("required", True) is not optional, f"{name} must start without {other}, which belongs to a profile"
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]


def test_postgres_has_the_names_that_dagster_is_given() -> None:
    server = SERVICES["postgres"]["environment"]
    url = OURS["daemon"]["environment"]["DAGSTER_POSTGRES_URL"]
    expected = f"postgresql+psycopg2://{server['POSTGRES_USER']}:{server['POSTGRES_PASSWORD']}@postgres:5432/{server['POSTGRES_DB']}"
    assert url == expected
    storage = yaml.safe_load((PROJECT / "docs" / "operations" / "dagster-postgres.yaml").read_text())["storage"]
    assert storage["postgres"]["postgres_url"]["env"] in OURS["daemon"]["environment"]
    assert OURS["storage"]["command"][-1] == IMAGE["DAGSTER_HOME"] + "/dagster.yaml"


def test_every_command_is_one_of_the_image() -> None:
    scripts = {script.name for script in entry_points(group="console_scripts")} | {"python", "sh", "cp"}
    assert {service["command"][0] for service in OURS.values()} <= scripts
    assert {service["healthcheck"]["test"][1] for service in OURS.values() if "healthcheck" in service} <= scripts
    assert {name for name, service in OURS.items() if "healthcheck" in service} == LASTING


# ---- the commands of the services, started here


@dataclass(frozen=True)
class Box:
    """A folder in the place of the volume, and free ports in the place of those of the containers."""

    folder: Path
    ports: dict[str, int]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def text(self, value: str) -> str:
        """Return a word of compose.yaml with the places and ports of this box."""
        value = value.replace("$$", "$").replace(IMAGE["ZPO2_HOME"], str(self.home)).replace("/operations/", f"{PROJECT}/docs/operations/")
        for name, port in self.ports.items():
            value = re.sub(rf"(?<!\d){name}(?!\d)", str(port), value)
        return value.replace("0.0.0.0", "127.0.0.1")  # nothing of a test is offered to the network

    def environment(self, service: str) -> dict[str, str]:
        given = {**IMAGE, **OURS[service]["environment"], "ZPO2_PACK": str(self.folder / "pack"), "HOME": str(self.folder / "scratch")}
        path = os.pathsep.join([str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        variables = {key: self.text(value) for key, value in given.items()}
        return environment(**variables, ZPO2_SECRET_EVENTS=SECRET, SOURCE_DATE_EPOCH=EPOCH, PATH=path)

    def run(self, service: str, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.text(word) for word in words],
            cwd=self.home, env=self.environment(service), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    @contextmanager
    def started(self, service: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a service as it stands, and end it with its children."""
        log = (self.folder / f"{service}.log").open("wb")
        process = subprocess.Popen(
            [self.text(word) for word in OURS[service]["command"]],
            cwd=self.home, env=self.environment(service), stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            log.close()

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(encoding="utf-8", errors="replace")[-3000:]


@pytest.fixture
def box(five_home: Path, tmp_path: Path) -> Box:
    shutil.copytree(five_home.parent / "pack", tmp_path / "pack")
    for name in ("home", "scratch", "bin"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    ports = {}
    for name in ("3000", "3001"):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            ports[name] = listener.getsockname()[1]
    return Box(tmp_path, ports)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Callable[[], str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert process.poll() is None, log()
        assert time.monotonic() < deadline, log()
        time.sleep(1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def healthy(box: Box, service: str, check: list[str]) -> bool:
    return box.run(service, check).returncode == 0


@pytest.mark.slow
def test_the_services_start_after_the_first_run_and_are_healthy(box: Box) -> None:
    first = box.run("first-run", OURS["first-run"]["command"])
    assert first.returncode == 0, first.stdout + first.stderr
    assert current_release(box.home).is_dir()
    addresses = {"ui": f"http://127.0.0.1:{box.ports['3000']}/server_info", "events": f"http://127.0.0.1:{box.ports['3001']}/health"}
    checks = {service: OURS[service]["healthcheck"]["test"][1:] for service in LASTING}
    assert [service for service in LASTING if box.run(service, checks[service]).returncode == 0] == [], "not healthy before it has started"
    with ExitStack() as stack:
        running = {service: stack.enter_context(box.started(service)) for service in LASTING}
        for service, address in addresses.items():
            wait_for(partial(answers, address), running[service], partial(box.log, service))
        for service, process in running.items():
            wait_for(partial(healthy, box, service, checks[service]), process, partial(box.log, service))
    assert list((box.folder / "scratch").iterdir()) == [], "nothing is written outside of the volume"
    assert {p.name for p in box.folder.iterdir()} == {"pack", "home", "scratch", "bin", *(f"{name}.log" for name in LASTING)}


@pytest.mark.slow
def test_the_others_start_although_a_source_of_the_first_run_failed(box: Box) -> None:
    (box.folder / "pack" / "data" / "areas.csv").unlink()
    first = box.run("first-run", OURS["first-run"]["command"])
    assert first.returncode == 0, first.stdout + first.stderr
    assert not (box.home / "public" / "latest.json").exists()
    (box.folder / "pack" / "pack.yml").write_text("surprise: 1\n", encoding="utf-8")
    shutil.rmtree(box.home)
    box.home.mkdir()
    assert box.run("first-run", OURS["first-run"]["command"]).returncode != 0, "a pack that is wrong stops everything"


def test_the_storage_on_postgresql_is_put_where_dagster_looks_for_it(box: Box) -> None:
    (box.home / "dagster").mkdir()
    assert box.run("storage", OURS["storage"]["command"]).returncode == 0
    example = PROJECT / "docs" / "operations" / "dagster-postgres.yaml"
    assert (box.home / "dagster" / "dagster.yaml").read_bytes() == example.read_bytes()
