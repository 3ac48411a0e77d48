"""docs/operations.md is true: its commands are run as they stand, in their order; those for a machine with systemd are checked one by one."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command import EPOCH, PROJECT, environment

PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
EXAMPLES = PROJECT / "docs" / "operations"
UNITS = sorted((EXAMPLES / "systemd").glob("*.service"))
BLOCK = re.compile(r"^(?:## (?P<heading>[^\n]+)|```(?P<kind>sh(?: \w+)?)\n(?P<text>.*?)^```)$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\s+# exit (\d+)$")
INSTALLED = "/opt/zpo2"
SECRET = "only-for-this-test-0123456789"
START_SECONDS = 60.0
EXPOSURE = 30  # tenths of systemd-analyze's measure, in which 100 is no protection at all


@dataclass(frozen=True)
class Command:
    """A line of a block, and the exit code that the page says it has."""

    section: str
    line: str
    code: int


def blocks(kind: str) -> list[list[Command]]:
    """Return the commands of each block of a kind: `sh`, or `sh machine`."""
    found, heading = [], ""
    for match in BLOCK.finditer(PAGE):
        heading = match["heading"] or heading
        if match["kind"] == kind:
            commands = []
            for line in filter(None, match["text"].splitlines()):
                code = EXIT.search(line)
                commands.append(Command(heading, EXIT.sub("", line), int(code[1]) if code else 0))
            found.append(commands)
    return found


@dataclass(frozen=True)
class Site:
    """A folder to work in, a pack and its home after a first run, and `zpo2` on the PATH; port 3001 is another one here."""

    folder: Path
    port: int

    @property
    def pack(self) -> Path:
        return self.folder / "pack"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        return environment(
            PATH=path, ZPO2_PACK=str(self.pack), ZPO2_HOME=str(self.home), DAGSTER_HOME=str(self.home / "dagster"),
            ZPO2_SECRET_EVENTS=SECRET, SOURCE_DATE_EPOCH=EPOCH,
        )  # fmt: skip

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        script = line.replace(":3001", f":{self.port}")
        return subprocess.run(
            ["bash", "-u", "-o", "pipefail", "-c", script],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def latest(self) -> str:
        return str(json.loads((self.home / "public" / "latest.json").read_bytes())["version"])


@pytest.fixture
def site(five_home: Path, tmp_path: Path) -> Site:
    shutil.copytree(five_home.parent / "pack", tmp_path / "pack")
    shutil.copytree(five_home, tmp_path / "home")
    command = tmp_path / "bin" / "zpo2"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pipelines.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (command.parent / "python").symlink_to(sys.executable)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return Site(tmp_path, int(listener.getsockname()[1]))


@contextmanager
def receiver(site: Site) -> Iterator[None]:
    """Run what the unit of the receiver starts, and wait until it answers."""
    command = shlex.split(service("zpo2-events")["ExecStart"])
    assert command[0] == f"{INSTALLED}/.venv/bin/zpo2"
    command = [str(site.folder / "bin" / "zpo2"), *command[1:]]
    command[command.index("--port") + 1] = str(site.port)
    process = subprocess.Popen(command, cwd=site.folder, env=site.environment(), start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{site.port}/health", timeout=10).close()
                break
            except urllib.error.URLError:
                assert process.poll() is None, "the receiver ended before it answered"
                assert time.monotonic() < deadline, "the receiver did not answer in time"
                time.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        process.wait()


def the_backup_stands_in(site: Site) -> None:
    """From here on the restored home is the home: what follows works without anything that a backup leaves out."""
    shutil.rmtree(site.home)
    (site.folder / "restored").rename(site.home)


def the_office_is_gone(site: Site) -> None:
    """The files of both sources can no longer be had; that of the areas comes by mail, with one place less in its district."""
    areas = site.pack / "data" / "areas.csv"
    text = areas.read_text(encoding="utf-8")
    assert "a5,Elm,lau,R2,O2," in text
    (site.folder / "areas-by-mail.csv").write_text(text.replace("a5,Elm,lau,R2,O2,", "a5,Elm,lau,R2,,"), encoding="utf-8")
    areas.unlink()
    (site.pack / "data" / "people_2021.csv").unlink()


BEFORE: dict[str, Callable[[Site], None]] = {"Upgrades": the_backup_stands_in, "A source dies": the_office_is_gone}
"""What happens in the world before the first command of a section, or of a later one."""

AFTER: dict[str, str] = {
    "zpo2 run": "release ",
    "zpo2 run --home restored": "2025.10.1 (unchanged)",
    "zpo2 run --only areas --only people": "failed      table:area_parents: ",
    'zpo2 run --accept table:area_parents --reason "Elm has left its district"': "2025.10.2 (new)",
    'zpo2 rollback 2025.10.1 --reason "Elm was right where it was"': "2025.10.1 is the current release",
    'zpo2 rollback 2025.10.2 --reason "a mistake"': "2025.10.2 was withdrawn at ",
    'zpo2 withdraw 2025.10.1 --reason "no other one is left"': "no other release can replace it",
    "zpo2 prune --keep 10": "0 releases removed",
}
"""What some commands say."""


@pytest.mark.slow
def test_the_commands_of_the_page_do_what_it_says(site: Site) -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    pending = dict(BEFORE)
    said: set[str] = set()
    with receiver(site):
        for block in blocks("sh"):
            for heading in headings[: headings.index(block[0].section) + 1]:
                if prepare := pending.pop(heading, None):
                    prepare(site)
            for command in block:
                done = site.run(command.line)
                text = done.stdout + done.stderr
                assert done.returncode == command.code, f"{command.section}: {command.line}\n{text}"
                if command.line in AFTER:
                    assert AFTER[command.line] in text, f"{command.line}\n{text}"
                    said.add(command.line)
    assert pending == {}
    assert said == set(AFTER), "every command that was to say something was met"
    assert site.latest() == "2025.10.1"
    ledger = {e["version"]: e for e in json.loads((site.home / "public" / "releases.json").read_bytes())["releases"]}
    assert ledger["2025.10.2"]["withdrawn"]["reason"] == "personal data in a title"
    assert "pinned" in ledger["2025.10.1"]
    report = json.loads((site.home / "public" / "releases" / "2025.10.2" / "quality" / "report.json").read_bytes())
    assert "Elm has left its district" in json.dumps(report), "why a check was let through is part of the release"
    sent = [json.loads(path.read_bytes()) for path in (site.home / "alerts" / "sent").iterdir()]
    texts = {alert["type"]: alert["data"]["text"] for alert in sent}
    assert set(texts) == {"zpo2.source.stale", "zpo2.run.failed", "zpo2.run.recovered"}, "no daemon ran: the command itself sent them"
    assert "table:area_parents" in texts["zpo2.run.failed"]
    assert "The source people (People) is stale since" in texts["zpo2.source.stale"]


@pytest.mark.slow
def test_a_broken_pack_keeps_nobody_from_taking_a_release_back(site: Site) -> None:
    (site.pack / "pack.yml").write_text("surprise: 1\n", encoding="utf-8")
    assert site.run("zpo2 run").returncode == 2
    pinned = site.run("zpo2 pin 2025.10.1")
    assert (pinned.returncode, pinned.stdout) == (0, "2025.10.1 is kept for ever\n")
    assert site.run("zpo2 rollback 2025.10.9 --reason typo").returncode == 2
    assert site.run("zpo2 rollback 2025.10.1").returncode == 2, "expected a reason"
    assert site.run("unset ZPO2_HOME; zpo2 pin 2025.10.1").returncode == 2, "without a home only the pack says where it is"
    messages = [json.loads(line)["message"] for line in (site.home / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert messages[-1] == "pinned"


def test_every_block_of_commands_is_run_or_checked() -> None:
    kinds = {match["kind"] for match in BLOCK.finditer(PAGE) if match["kind"]}
    assert kinds == {"sh", "sh machine"}
    shown = re.findall(r"^```(?:yaml|console|json)$", PAGE, re.MULTILINE)
    assert PAGE.count("```") == 2 * (len(blocks("sh")) + len(blocks("sh machine")) + len(shown)), "all other fenced blocks are only shown"


# ---- commands that need a machine of their own: each program has its check


@cache
def options(*command: str) -> str:
    """Return the help of a command of this installation."""
    program = [sys.executable, "-m", "pipelines.cli"] if command[0] == "zpo2" else [str(Path(sys.executable).parent / command[0])]
    done = subprocess.run([*program, *command[1:], "--help"], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_systemctl(words: list[str]) -> None:
    verb, *units = [w for w in words if not w.startswith("-")]
    assert verb in {"daemon-reload", "enable", "start", "stop", "restart"}
    assert {w for w in words if w.startswith("-")} <= {"--now"}
    assert set(units) <= {unit.stem for unit in UNITS} | {"nginx"}


def check_journalctl(words: list[str]) -> None:
    assert {words[i + 1] for i, w in enumerate(words) if w == "-u"} <= {unit.stem for unit in UNITS}


def check_install(words: list[str]) -> None:
    sources = [w for i, w in enumerate(words[:-1]) if not w.startswith("-") and words[i - 1] != "-m"]
    assert sources
    assert [s for s in sources if not (PROJECT / s).is_file()] == []
    assert words[-1].startswith(("/etc/", "/var/lib/zpo2/"))
    secret = any("secret" in s for s in sources)
    assert words[words.index("-m") + 1] == ("0600" if secret else "0644")


def check_make(words: list[str]) -> None:
    assert words[:2] == ["-C", INSTALLED]
    targets = re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(words[2:]) <= set(targets)


def check_git(words: list[str]) -> None:
    assert words[-1] == INSTALLED or words[:2] == ["-C", INSTALLED]
    assert {"clone", "pull"} & set(words)


def check_useradd(words: list[str]) -> None:
    home = words[words.index("--home-dir") + 1]
    assert all(f"WorkingDirectory={home}\n" in u.read_text() and f"User={words[-1]}\n" in u.read_text() for u in UNITS)


def check_cp(words: list[str]) -> None:
    source, target = words
    assert (PROJECT / source).is_file()
    ignored = (PROJECT / ".gitignore").read_text().splitlines()
    assert f"/{target}" in ignored, "what holds secrets is not committed"


def check_docker(words: list[str]) -> None:
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
    assert words.pop(0) == "compose"
    if words[0] == "--profile":
        assert [name for name, service in compose["services"].items() if words[1] in service.get("profiles", [])]
        del words[:2]
    assert words[0] in {"build", "up", "ps", "exec", "logs"}
    if words[0] in {"exec", "logs"}:
        assert set(words) & set(compose["services"])


MACHINE: dict[str, Callable[[list[str]], None]] = {
    "systemctl": check_systemctl, "journalctl": check_journalctl, "install": check_install, "make": check_make, "git": check_git,
    "useradd": check_useradd, "cp": check_cp, "docker": check_docker,
}  # fmt: skip


@pytest.mark.parametrize("command", [c for block in blocks("sh machine") for c in block], ids=lambda c: c.line[:60])
def test_a_command_for_a_machine_names_what_is_there(command: Command) -> None:
    program, *words = shlex.split(command.line)
    MACHINE[program](words)


def test_every_unit_is_installed_by_the_page() -> None:
    lines = " ".join(c.line for block in blocks("sh machine") for c in block)
    assert [u.name for u in UNITS if u.name not in lines] == []
    assert [f.name for f in EXAMPLES.iterdir() if f.is_file() and f.name not in lines] == []


# ---- the units


def service(unit: str) -> dict[str, str]:
    """Return the section [Service] of a unit; of a key that is there several times, all values in a line each."""

    class Several(dict[str, str]):
        def __setitem__(self, key: str, value: Any) -> None:  # a list, as the parser reads the file
            if isinstance(value, list) and key in self:
                value = [*self[key], *value]
            super().__setitem__(key, value)

    parser = configparser.RawConfigParser(dict_type=Several, strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(EXAMPLES / "systemd" / f"{unit}.service", encoding="utf-8")
    return dict(parser["Service"])


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_a_unit_starts_a_command_that_is_there_with_options_that_it_knows(unit: Path) -> None:
    program, *words = shlex.split(service(unit.stem)["ExecStart"])
    name = Path(program).name
    assert program == f"{INSTALLED}/.venv/bin/{name}"
    commands = []
    while words and not words[0].startswith("-"):
        commands.append(words.pop(0))
    text = options(name, *commands)
    assert [w for w in words if w.startswith("-") and not re.search(rf"(?:^|[\s,]){re.escape(w)}\b", text)] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_a_unit_may_write_to_the_home_only_and_gets_its_secrets_from_files(unit: Path) -> None:
    found = service(unit.stem)
    variables = dict(line.split("=", 1) for line in (EXAMPLES / "zpo2.env").read_text().splitlines() if line and line[0] != "#")
    assert found["ReadWritePaths"] == variables["ZPO2_HOME"]
    assert variables["DAGSTER_HOME"] == variables["ZPO2_HOME"] + "/dagster"
    wanted = {"NoNewPrivileges": "true", "ProtectSystem": "strict", "ProtectHome": "true", "PrivateTmp": "true", "Restart": "on-failure"}
    assert wanted.items() <= found.items()
    assert found["EnvironmentFile"].split() == ["/etc/zpo2/zpo2.env", "-/etc/zpo2/secrets.env"]
    assert "SECRET" not in unit.read_text()


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_systemd_accepts_a_unit_and_finds_it_closed(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: units are checked by the other tests only")
    for name in ("dagster", "dagster-daemon", "dagster-webserver", "zpo2"):  # as they would be in the venv
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace(f"{INSTALLED}/.venv/bin", str(tmp_path)))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True, check=False)
    # what the machine has of its own may have faults, too
    assert [line for line in verified.stderr.splitlines() if unit.stem in line] == []
    assert verified.returncode == 0, verified.stderr
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(here)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "nrecognized option" in rated.stderr:
        pytest.skip("this systemd-analyze rates no files")
    assert rated.returncode == 0, rated.stdout + rated.stderr


def test_the_example_files_hold_names_that_the_code_knows() -> None:
    workspace = yaml.safe_load((EXAMPLES / "workspace.yaml").read_text())
    server = workspace["load_from"][0]["grpc_server"]
    assert f"-p {server['port']}" in service("zpo2-code")["ExecStart"]
    from pipelines.core.workspace import DAGSTER_YAML

    ours, theirs = yaml.safe_load(DAGSTER_YAML), yaml.safe_load((EXAMPLES / "dagster-postgres.yaml").read_text())
    assert {k: v for k, v in theirs.items() if k != "storage"} == ours, "beside the storage it says what a home's own says"
    assert (EXAMPLES / "dagster-postgres.yaml").read_text().splitlines()[0] != DAGSTER_YAML.splitlines()[0]
    secrets = set(re.findall(r"^(?:# )?([A-Z0-9_]+)=", (EXAMPLES / "secrets.env").read_text(), re.MULTILINE))
    webhooks = {f"ZPO2_SECRET_{name}_{part}" for name in ("ALERT", "RELEASE") for part in ("URL", "KEY")}
    assert {"ZPO2_SECRET_EVENTS", "DAGSTER_POSTGRES_URL"} | webhooks <= secrets
