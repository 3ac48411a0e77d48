"""Run a command and measure it with all its descendants: CPU seconds, wall seconds, memory, and whether it keeps to a real limit.

Memory is what the processes hold together and cannot give back (anonymous and shared pages), sampled ten times a second. A cgroup of
the command's own counts it, where one can be made; else the sum of PSS over the process tree. A limit needs a cgroup.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS_BETWEEN_SAMPLES = 0.1
CGROUP_ROOT = Path("/sys/fs/cgroup")
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


class NoCgroup(Exception):
    """No cgroup with a memory controller can be made here."""


@dataclass(frozen=True)
class Cost:
    """What a command cost. Bytes are None where they cannot be measured."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int  # all processes together, without the page cache
    peak_with_cache_bytes: int | None  # as the kernel counts against a limit; it gives cache back when memory is short
    counted_by: str
    exit_code: int
    out_of_memory: bool  # the kernel ended a process at the limit
    output: str


def byte_count(text: str) -> int:
    """Return the bytes of a size such as 6GB (10^9 bytes each) or 6GiB (2^30)."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([A-Z]+)", text.strip().upper())
    if match is None or match[2] not in UNITS:
        raise ValueError(f"expected a size such as 6GB or 512MiB, not {text!r}")
    return int(float(match[1]) * UNITS[match[2]])


def measure(command: Sequence[str], environment: Mapping[str, str], limit: int | None = None, folder: Path | None = None) -> Cost:
    """Run `command` to its end and return what it cost. Raises NoCgroup if there is a limit but no cgroup can be made."""
    with ExitStack() as stack:
        group: Cgroup | None = None
        try:
            group = stack.enter_context(cgroup(limit))
        except NoCgroup:
            if limit is not None:
                raise
        output = stack.enter_context(tempfile.TemporaryFile())
        began = time.monotonic()
        process = subprocess.Popen(
            [*(group.entry() if group else []), *command], env=dict(environment), cwd=folder,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            peak = 0
            ended = 0
            while not ended:
                peak = max(peak, group.memory() if group else tree_memory(process.pid))
                time.sleep(SECONDS_BETWEEN_SAMPLES)
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        wall = time.monotonic() - began
        output.seek(0)
        return Cost(
            cpu_seconds=usage.ru_utime + usage.ru_stime,  # of the process and of all descendants that were waited for
            wall_seconds=wall,
            peak_bytes=peak,
            peak_with_cache_bytes=group.peak_with_cache() if group else None,
            counted_by=group.kind if group else "PSS of the process tree",
            exit_code=process.returncode,
            out_of_memory=group.killed() > 0 if group else False,
            output=output.read().decode("utf-8", "replace"),
        )


# ------------------------------------------------------------------------------------------------------------------------- cgroups


@dataclass(frozen=True)
class Cgroup:
    """A cgroup of the command's own, in version 1 or 2."""

    path: Path
    version: int

    @property
    def kind(self) -> str:
        return f"cgroup v{self.version}"

    def entry(self) -> list[str]:
        """Return the words before a command that move its process into the group, before the command begins."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.path / "cgroup.procs")]

    def set_limit(self, limit: int) -> None:
        if self.version == 1:
            self._write("memory.limit_in_bytes", limit)
            self._write("memory.memsw.limit_in_bytes", limit, optional=True)  # absent where swap is not counted
        else:
            self._write("memory.max", limit)
            self._write("memory.swap.max", 0, optional=True)

    def memory(self) -> int:
        """Return the bytes that the processes hold now and cannot give back."""
        facts = _numbers(self.path / "memory.stat")
        if self.version == 1:
            return facts["total_rss"] + facts.get("total_shmem", 0)
        return facts["anon"] + facts["shmem"]

    def peak_with_cache(self) -> int | None:
        path = self.path / ("memory.max_usage_in_bytes" if self.version == 1 else "memory.peak")
        return int(path.read_text(encoding="ascii")) if path.is_file() else None

    def killed(self) -> int:
        """Return how many processes the kernel has ended for lack of memory."""
        return _numbers(self.path / ("memory.oom_control" if self.version == 1 else "memory.events")).get("oom_kill", 0)

    def _write(self, name: str, value: int, *, optional: bool = False) -> None:
        if not optional or (self.path / name).is_file():
            (self.path / name).write_text(str(value), encoding="ascii")


@contextmanager
def cgroup(limit: int | None) -> Iterator[Cgroup]:
    """Make a cgroup, with a memory limit if there is one, and remove it in the end. Raises NoCgroup."""
    group = _new_cgroup()
    try:
        if limit is not None:
            try:
                group.set_limit(limit)
            except OSError as error:
                raise NoCgroup(f"the memory limit of {group.path} cannot be set: {error}") from None
        yield group
    finally:
        _remove(group.path)


def _new_cgroup() -> Cgroup:
    """Make a group below this process's own, so that limits around it stay in force; in version 2, where that is refused, beside it."""
    reasons = []
    for parent, version in _parents():
        group = Cgroup(parent / f"zpo2-benchmark-{os.getpid()}", version)
        try:
            group.path.mkdir()
        except OSError as error:
            reasons.append(str(error))
            continue
        if (group.path / "memory.stat").is_file():
            return group
        group.path.rmdir()
        reasons.append(f"{parent} has no memory controller for groups below it")
    raise NoCgroup("; ".join(reasons) or "no memory controller is mounted below /sys/fs/cgroup")


def _parents() -> Iterator[tuple[Path, int]]:
    """Yield the groups that may get a new group below them, and their version."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        number, controllers, path = line.split(":", 2)
        own.update({name: path.lstrip("/") for name in (controllers.split(",") if number != "0" else ["unified"])})
    if "memory" in own and (root := CGROUP_ROOT / "memory").is_dir():
        group = root / own["memory"]
        yield (group if group.is_dir() else root), 1  # in a container the root can be the own group
    if "unified" in own and (CGROUP_ROOT / "cgroup.controllers").is_file():
        group = CGROUP_ROOT / own["unified"]
        yield group, 2
        if group != CGROUP_ROOT:
            yield group.parent, 2


def _remove(path: Path) -> None:
    """Remove a group, with the processes that the command left behind."""
    for _ in range(50):
        for pid in (path / "cgroup.procs").read_text(encoding="ascii").split():
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:
                continue
        try:
            path.rmdir()
        except OSError:
            time.sleep(0.1)  # the kernel has not yet let go of the processes that ended
        else:
            return
    raise SystemExit(f"{path} cannot be removed: processes are left in it")


def _numbers(path: Path) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in path.read_text(encoding="ascii").splitlines())}


# ------------------------------------------------------------------------------------------------------------------- without cgroups


def tree_memory(root: int) -> int:
    """Return the sum of PSS over a process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent(entry)
            children.setdefault(parent, []).append(int(entry.name))
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += _pss(pid)
        waiting += children.get(pid, [])
    return total


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return -1  # it has ended


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    match = re.search(r"^Pss: +([0-9]+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


# ---------------------------------------------------------------------------------------------------------------------------- disk


def disk_used(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk. A file with several links counts once."""
    facts = [os.lstat(path) for path in (folder, *folder.rglob("*"))]
    return sum({(f.st_dev, f.st_ino): f.st_blocks * 512 for f in facts}.values())
