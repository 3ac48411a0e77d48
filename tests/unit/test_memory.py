"""The memory that a run may use: the setting, the machine, and control groups of both versions, read from trees of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.errors import UsageError
from pipelines.core.memory import SMALLEST, Memory, available, budget, parse_size

GIB = 2**30


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return the root of a file system of a machine with 64 GiB."""
    write(tmp_path / "proc/meminfo", f"MemTotal:       {64 * GIB // 1024} kB\nMemFree:        1024 kB\n")
    return tmp_path


class TestSizes:
    @pytest.mark.parametrize(
        ("text", "size"),
        [("4GB", 4 * 10**9), ("1.5GiB", 3 * GIB // 2), ("512mb", 512 * 10**6), (" 700 MiB ", 700 * 2**20), ("2TB", 2 * 10**12),
         ("1tib", 2**40), ("10KB", 10_000), ("1kib", 1024), ("4000000000", 4 * 10**9)],
    )  # fmt: skip
    def test_sizes(self, text: str, size: int) -> None:
        assert parse_size(text) == size

    @pytest.mark.parametrize("text", ["", "GB", "4 G", "-1GB", "4GBs", "1.GB", "half", "1e9", "1,5GB"])
    def test_other_texts(self, text: str) -> None:
        assert parse_size(text) is None


class TestBudget:
    def test_setting(self, machine: Path) -> None:
        assert budget("4GB", machine).total == 4 * 10**9

    @pytest.mark.parametrize("setting", ["much", "4 G", "511MiB", "0"])
    def test_error_names_the_setting_and_the_smallest_size(self, setting: str, machine: Path) -> None:
        with pytest.raises(UsageError, match=rf"ZPO2_MEMORY is '{setting}'; expected a size of at least 512MiB"):
            budget(setting, machine)

    def test_smallest_setting(self, machine: Path) -> None:
        assert budget("512MiB", machine).total == SMALLEST

    @pytest.mark.parametrize("setting", [None, ""])
    def test_default_is_half_of_what_is_available(self, setting: str | None, machine: Path) -> None:
        assert budget(setting, machine).total == 32 * GIB

    def test_default_is_never_too_small(self, machine: Path) -> None:
        write(machine / "proc/meminfo", "MemTotal: 65536 kB\n")
        assert budget(None, machine).total == SMALLEST

    def test_parts_add_up(self) -> None:
        memory = Memory(4 * 10**9 + 1)
        assert memory.engine + memory.python == memory.total
        assert memory.engine > memory.python > 0


class TestMachine:
    def test_without_groups(self, machine: Path) -> None:
        assert available(machine) == 64 * GIB

    @pytest.mark.parametrize("text", ["", "MemFree: 1 kB\n", "MemTotal: unknown kB\n"])
    def test_unreadable_meminfo(self, text: str, tmp_path: Path) -> None:
        write(tmp_path / "proc/meminfo", text)
        assert available(tmp_path) == available(tmp_path / "nowhere") > 0


class TestVersion2:
    def test_tightest_group_from_the_own_to_the_root(self, machine: Path) -> None:
        write(machine / "proc/self/cgroup", "0::/user.slice/app.scope\n")
        groups = machine / "sys/fs/cgroup"
        write(groups / "user.slice/app.scope/memory.max", f"{8 * GIB}\n")
        assert available(machine) == 8 * GIB
        write(groups / "user.slice/memory.max", f"{6 * GIB}\n")
        assert available(machine) == 6 * GIB
        write(groups / "user.slice/other.scope/memory.max", f"{1 * GIB}\n")
        assert available(machine) == 6 * GIB

    def test_no_limit(self, machine: Path) -> None:
        write(machine / "proc/self/cgroup", "0::/app\n")
        write(machine / "sys/fs/cgroup/app/memory.max", "max\n")
        assert available(machine) == 64 * GIB

    def test_limit_above_the_machine(self, machine: Path) -> None:
        write(machine / "proc/self/cgroup", "0::/app\n")
        write(machine / "sys/fs/cgroup/app/memory.max", f"{128 * GIB}\n")
        assert available(machine) == 64 * GIB

    def test_container_that_sees_only_its_own_group(self, machine: Path) -> None:
        # the path is that of the host, and the mounted tree begins at the group of the container
        write(machine / "proc/self/cgroup", "0::/docker/1f2e3d\n")
        write(machine / "sys/fs/cgroup/memory.max", f"{2 * GIB}\n")
        assert available(machine) == 2 * GIB

    def test_container_with_its_own_root(self, machine: Path) -> None:
        write(machine / "proc/self/cgroup", "0::/\n")
        write(machine / "sys/fs/cgroup/memory.max", f"{3 * GIB}\n")
        assert available(machine) == 3 * GIB


class TestVersion1:
    OWN = "12:cpu,cpuacct:/app\n5:memory:/app\n1:name=systemd:/app\n"

    def test_tightest_group(self, machine: Path) -> None:
        write(machine / "proc/self/cgroup", self.OWN)
        write(machine / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
        assert available(machine) == 64 * GIB
        write(machine / "sys/fs/cgroup/memory/app/memory.limit_in_bytes", f"{5 * GIB}\n")
        assert available(machine) == 5 * GIB

    def test_controllers_together(self, machine: Path) -> None:
        write(machine / "proc/self/cgroup", "4:cpu,memory:/app\n")
        write(machine / "sys/fs/cgroup/memory/app/memory.limit_in_bytes", f"{4 * GIB}\n")
        assert available(machine) == 4 * GIB

    def test_both_versions(self, machine: Path) -> None:
        write(machine / "proc/self/cgroup", self.OWN + "0::/app\n")
        write(machine / "sys/fs/cgroup/memory/app/memory.limit_in_bytes", f"{5 * GIB}\n")
        write(machine / "sys/fs/cgroup/app/memory.max", f"{7 * GIB}\n")
        assert available(machine) == 5 * GIB
