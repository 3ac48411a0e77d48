"""Build the wheel from the committed files, and install it into a venv that has the libraries of this one but not this project."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from tests.support.command import PROJECT

SCRIPTS = ("dbt", "dagster", "dagster-daemon", "dagster-webserver")
BUILD = "import sys, setuptools.build_meta as backend; getattr(backend, sys.argv[1])(sys.argv[2])"


def committed() -> list[str]:
    """Return the name of every file that is or would be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (PROJECT / name).is_file()]


def copy_source(target: Path) -> Path:
    """Copy the committed files: building leaves its own files beside them."""
    for name in committed():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, target / name)
    return target


def build(kind: str, source: Path, target: Path) -> Path:
    """Return the `wheel` or `sdist` that is built from the folder `source`, in the folder `target`."""
    target.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, f"build_{kind}", str(target)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = target.iterdir()
    return made


def files(wheel: Path) -> set[str]:
    """Return the names of the files of a wheel, without those that describe it."""
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def unpack(archive: Path, target: Path) -> Path:
    """Return the folder with the content of an sdist."""
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")
    (folder,) = target.iterdir()
    return folder


@dataclass(frozen=True)
class Installation:
    """A venv with the wheel, and an empty folder to work in."""

    root: Path
    folder: Path

    @property
    def site(self) -> Path:
        return next(self.root.glob("lib/python*/site-packages"))

    def environment(self, **variables: str) -> dict[str, str]:
        """Return an environment in which nothing of the clone can be found."""
        return {
            "PATH": os.pathsep.join([str(self.root / "bin"), "/usr/bin", "/bin"]), "HOME": str(self.folder.parent), "LANG": "C.UTF-8",
            **variables,
        }  # fmt: skip

    def command(self, *words: str) -> list[str]:
        """Return a command that keeps to the permissions of files, also for a test that runs as root."""
        setpriv = shutil.which("setpriv") if os.geteuid() == 0 else None
        bound = [setpriv, "--bounding-set=-dac_override,-dac_read_search", "--"] if setpriv else []
        return [*bound, str(self.root / "bin" / words[0]), *words[1:]]

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def state(self) -> dict[str, tuple[int, int]]:
        """Return the size and the time of change of every file and folder of the installation."""
        return {str(path.relative_to(self.root)): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in self.root.rglob("*")}


def install(wheel: Path, root: Path, folder: Path) -> Installation:
    """Install `wheel` into a new venv with pip. The libraries come from this venv, whose own .pth files are not read."""
    venv.create(root, with_pip=True, symlinks=True)
    folder.mkdir()
    made = Installation(root, folder)
    subprocess.run([root / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    (made.site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    for script in entry_points(group="console_scripts"):
        if script.name in SCRIPTS:
            module, _, name = script.value.partition(":")
            path = root / "bin" / script.name
            path.write_text(f"#!{root}/bin/python\nimport sys\nfrom {module} import {name}\nsys.exit({name}())\n", encoding="utf-8")
            path.chmod(0o755)
    return made


@contextmanager
def read_only(root: Path) -> Iterator[None]:
    """Take the permission to write from everything below `root`, and give it back at the end, so that it can be removed."""
    paths = [root, *(p for p in root.rglob("*") if not p.is_symlink())]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
