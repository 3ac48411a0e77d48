"""How much memory a run may use: the setting ZPO2_MEMORY, by default half of what the machine or the control group has."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.errors import UsageError

DEFAULT_SHARE = 0.5
ENGINE_SHARE = 0.6
"""The share of the budget that the engine of the warehouse may fill; the rest is for Python: its libraries, and one indicator or index at a time."""
SMALLEST = 512 * 1024**2
"""Less than this is not enough for the libraries alone."""
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?b|)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Memory:
    """The bytes that a run may use, in all and by its parts."""

    total: int

    @property
    def engine(self) -> int:
        """Bytes for the database engine; it writes to disk what does not fit."""
        return int(self.total * ENGINE_SHARE)

    @property
    def python(self) -> int:
        """Bytes for the Python steps."""
        return self.total - self.engine


def budget(setting: str | None, root: Path = Path("/")) -> Memory:
    """Return the memory of a run from the text of ZPO2_MEMORY, such as `4GB`. Raises UsageError.

    Without a setting it is half of what is available. `root` is the file system in which /proc and /sys are read.
    """
    if not setting:
        return Memory(max(int(available(root) * DEFAULT_SHARE), SMALLEST))
    size = parse_size(setting)
    if size is None or size < SMALLEST:
        raise UsageError(f"ZPO2_MEMORY is {setting!r}; expected a size of at least {SMALLEST // 2**20}MiB, such as 4GB")
    return Memory(size)


def parse_size(text: str) -> int | None:
    """Return the bytes that a text such as `512MB` or `1.5GiB` stands for, or None if it is not a size."""
    match = _SIZE.fullmatch(text)
    return int(float(match[1]) * _UNITS[match[2].lower()]) if match else None


def available(root: Path = Path("/")) -> int:
    """Return the bytes of memory of the machine, or of the tightest control group (version 1 or 2) that this process is in."""
    limits = [_machine(root), *_group_limits(root)]
    return min(limits)


def _machine(root: Path) -> int:
    try:
        line = next(line for line in (root / "proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _group_limits(root: Path) -> list[int]:
    """Return the limits of the control groups from this process's own up to the root. A group without a limit gives none."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        group = base / path.lstrip("/")
        # in a container the path is that of the host: then the root of the mounted tree is the container's own group
        for folder in [group, *group.parents] if group.is_relative_to(base) else [base]:
            limits += _limit(folder / name)
            if folder == base:
                break
    return limits


def _limit(path: Path) -> list[int]:
    try:
        text = path.read_text().strip()
    except OSError:
        return []
    # version 1 states a number near 2^63 where there is no limit
    return [int(text)] if text.isdigit() and int(text) < 2**60 else []
