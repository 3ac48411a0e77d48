"""A workspace with two releases to push, and ways to run a push: in this process, or as a command that can be killed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import release_sample
from release_sample import Home

from tests.support.command import environment

VERSIONS = ("2026.11.1", "2026.11.2")
# runs a command as `zpo2` does, its process dying before or after the n-th call of a function
DYING = """\
import sys
sys.path.insert(0, {here!r})
import release_sample
release_sample.die_at({step!r})
from pipelines.cli.app import main
sys.argv = ["zpo2", *{arguments!r}]
main()
"""


def home_with_two_releases(root: Path, warehouse: Path, changed: Path, base_uri: str = release_sample.INFO.base_uri) -> Path:
    """Create a workspace of the pack demo whose second release has one more area."""
    from dataclasses import replace

    home = Home(root)
    home.build(warehouse, replace(release_sample.INFO, base_uri=base_uri))
    home.build(changed, replace(release_sample.later(1), base_uri=base_uri))
    (root / "home.json").write_text(json.dumps({"format": 1, "pack": "demo"}), encoding="utf-8")
    return root


def copy_of(home: Path, target: Path) -> Path:
    """Copy a workspace and make it writable."""
    shutil.copytree(home, target)
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    return target


def withdraw(home: Path, version: str) -> None:
    """Mark a release as withdrawn in the ledger."""
    ledger = home / "public" / "releases.json"
    value = json.loads(ledger.read_text(encoding="utf-8"))
    for entry in value["releases"]:
        if entry["version"] == version:
            entry["withdrawn"] = {"at": "2026-11-20T00:00:00Z", "reason": "personal data"}
    ledger.write_text(json.dumps(value), encoding="utf-8")


def command(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "push", *map(str, arguments)],
        env=environment(**variables), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def example(target: str, *changed: str | Path) -> list[str]:
    """Return the arguments of the example in the help of a target, with options replaced by `changed`."""
    text = " ".join(command(target, "--help").stdout.split())
    assert text.count("Example: ") == 1
    words = shlex.split(text.partition("Example: ")[2])
    assert words[:3] == ["zpo2", "push", target]
    for option, value in zip(changed[::2], changed[1::2], strict=True):
        words[words.index(str(option)) + 1] = str(value)
    return words[2:]


def killed(step: str, *arguments: str | Path, **variables: str) -> None:
    """Run the command until it dies at `step`: `before os.replace 2`."""
    script = DYING.format(here=str(Path(__file__).parent), step=step, arguments=["push", *map(str, arguments)])
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(**variables), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


def starved(limit: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command with a limit of `limit` bytes for each file."""
    script = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\nfrom pipelines.cli.app import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", script, "push", *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def damage(path: Path) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    os.chmod(path, 0o644)
    path.write_bytes(content)
