"""Programs that tests need and Debian has: installed where that is nobody's own machine."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def install(*packages: str) -> None:
    """Install packages in CI, by root; elsewhere do nothing. Skips the test where that fails. Processes of tests take turns."""
    if os.geteuid() == 0 and os.environ.get("CI") and shutil.which("apt-get"):
        with (Path(tempfile.gettempdir()) / "zpo2-tests-apt.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for words in (["update", "-q"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
                done = subprocess.run(["apt-get", *words], capture_output=True, text=True, timeout=300, check=False)
                if done.returncode:
                    pytest.skip(f"apt-get {words[0]} failed: {done.stderr[-300:]}")
