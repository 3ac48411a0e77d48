"""The measure of the benchmarks: CPU and memory of a command with its descendants, limits by cgroup, disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import process_cost
from benchmarks.process_cost import Cgroup, NoCgroup, byte_count, measure

MEGABYTE = 10**6
# a process and its child hold 60 MB each, at the same time
TWO_PROCESSES = """\
import subprocess, sys, time
held = b"x" * 60_000_000
child = subprocess.Popen([sys.executable, "-c", "import time; held = b'x' * 60_000_000; sum(range(10_000_000)); time.sleep(1)"])
child.wait()
print("done")
"""
ONE_PROCESS = "held = b'x' * 200_000_000; print('done')"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.slow
def test_the_memory_and_cpu_of_all_processes_count() -> None:
    cost = measure(python(TWO_PROCESSES), os.environ)
    assert (cost.exit_code, cost.output, cost.out_of_memory) == (0, "done\n", False)
    assert 120 * MEGABYTE < cost.peak_bytes < 250 * MEGABYTE
    assert cost.cpu_seconds > 0.05  # the child's
    assert cost.wall_seconds > 1


@pytest.mark.slow
def test_memory_is_counted_without_a_cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_cost, "CGROUP_ROOT", tmp_path)
    cost = measure(python(TWO_PROCESSES), os.environ)
    assert cost.counted_by == "PSS of the process tree"
    assert 120 * MEGABYTE < cost.peak_bytes < 250 * MEGABYTE
    assert cost.peak_with_cache_bytes is None


def test_a_limit_without_a_cgroup_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_cost, "CGROUP_ROOT", tmp_path)
    with pytest.raises(NoCgroup, match="no memory controller"):
        measure(python(ONE_PROCESS), os.environ, limit=100 * MEGABYTE)


def test_a_limit_is_real_where_a_cgroup_can_be_made() -> None:
    try:
        with process_cost.cgroup(100 * MEGABYTE) as group:
            path = group.path
    except NoCgroup:
        with pytest.raises(NoCgroup):
            measure(python(ONE_PROCESS), os.environ, limit=100 * MEGABYTE)
        return
    assert not path.exists()
    cost = measure(python(ONE_PROCESS), os.environ, limit=100 * MEGABYTE)
    assert cost.exit_code != 0
    assert cost.out_of_memory
    assert measure(python(ONE_PROCESS), os.environ, limit=500 * MEGABYTE).exit_code == 0
    assert not path.exists()


def test_a_failed_command_gives_its_exit_code_and_output() -> None:
    cost = measure(python("import sys; print('why'); sys.exit(7)"), os.environ)
    assert (cost.exit_code, cost.output) == (7, "why\n")


def test_the_files_of_both_versions_of_cgroups_are_read(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, files in {
        one: {
            "memory.stat": "rss 1\ntotal_rss 100\ntotal_shmem 20\ntotal_cache 5000\n",
            "memory.max_usage_in_bytes": "6000\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            "memory.limit_in_bytes": "",
        },
        two: {
            "memory.stat": "anon 100\nfile 5000\nshmem 20\n",
            "memory.peak": "6000\n",
            "memory.events": "low 0\nmax 9\noom 3\noom_kill 2\n",
            "memory.max": "",
            "memory.swap.max": "",
        },
    }.items():
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="ascii")
    for group in (Cgroup(one, 1), Cgroup(two, 2)):
        assert (group.memory(), group.peak_with_cache(), group.killed()) == (120, 6000, 2)
        group.set_limit(777)
    assert (one / "memory.limit_in_bytes").read_text() == "777"
    assert ((two / "memory.max").read_text(), (two / "memory.swap.max").read_text()) == ("777", "0")


@pytest.mark.parametrize(("text", "count"), [("6GB", 6 * 10**9), ("1.5 gib", 3 * 2**29), ("512MiB", 2**29), ("10 KB", 10_000)])
def test_sizes_are_bytes(text: str, count: int) -> None:
    assert byte_count(text) == count


@pytest.mark.parametrize("text", ["6", "GB", "6 parsecs", "-1GB"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size such as 6GB"):
        byte_count(text)


def test_a_file_with_two_links_takes_its_space_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(1_000_000))
    alone = process_cost.disk_used(tmp_path)
    os.link(tmp_path / "a", tmp_path / "b")
    assert 1_000_000 <= alone == process_cost.disk_used(tmp_path) < 1_100_000
