"""Servers that tests need and Debian has: installed where that is nobody's own machine."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def install(package: str) -> None:
    """Install a package in CI, by root; elsewhere do nothing. Skips the test where that fails."""
    if os.geteuid() == 0 and os.environ.get("CI") and shutil.which("apt-get"):
        for words in (["update", "-q"], ["install", "-qq", "-y", "--no-install-recommends", package]):
            done = subprocess.run(["apt-get", *words], capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                pytest.skip(f"apt-get {words[0]} failed: {done.stderr[-300:]}")
