"""Take a picture of a page with Chromium, for the scripts that make the project's pictures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Return the program. Ends the script if there is none."""
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        sys.exit("there is no Chromium")
    return program


def take(program: str, address: str, target: Path, profile: Path, size: tuple[int, int], largest: int, *options: str) -> None:
    """Save a picture of a page, `size` in CSS pixels. Ends the script if it has more than `largest` bytes."""
    width, height = size
    command = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", "--hide-scrollbars", *options,
        f"--window-size={width},{height}", f"--screenshot={target}", address,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    if (count := target.stat().st_size) > largest:
        sys.exit(f"{target} has {count} bytes, more than {largest}")
