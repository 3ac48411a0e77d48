"""Kills, missing permissions and a full disk during publication: a polling reader always sees one whole release."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import release_sample
from release_sample import Home, contents, later

import exports
from tests.support.reader import Reader

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS_OF_RELEASES", "20"))
"""How many builds of a release are killed, each at another moment."""
REPOSITORY = Path(exports.__file__).parents[1]
OBEDIENT = ("setpriv", "--inh-caps=-dac_override,-dac_read_search", "--bounding-set=-dac_override,-dac_read_search")
"""Runs a command of root with the permissions of an ordinary user."""
PUBLISHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import release_sample
from release_sample import Home, later
import jinja2, pydantic
from exports.formats import derived_formats, table_files  # imported now, so that the test kills builds and not imports
from exports.release import facts
from exports.changes import compare
home, warehouses = Home(Path(sys.argv[2])), [Path(path) for path in sys.argv[3:]]
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(home.build(warehouses[int(line) % len(warehouses)], later(int(line) % 20)).version, flush=True)
    except release_sample.exports.ReleaseError as error:
        print("refused:", *str(error).split(), flush=True)
"""


class Publisher:
    """A process that has imported everything and publishes on request."""

    def __init__(self, home: Home, *warehouses: Path, under: tuple[str, ...] = ()) -> None:
        arguments = [Path(release_sample.__file__).parent, home.root, *warehouses]
        self.process = subprocess.Popen(
            [*under, sys.executable, "-c", PUBLISHER, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait_until_ready(self) -> None:
        assert self.answer() == "ready"

    def publish(self, number: int) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def kept(home: Home) -> list[str]:
    """Return the releases in the ledger, after checking that exactly these exist and verifying each of them."""
    versions = [entry.version for entry in exports.history(home.public)]
    assert sorted(p.name for p in (home.public / "releases").iterdir()) == sorted(versions)
    assert {version: exports.verify(home.public / "releases" / version) for version in versions} == {version: [] for version in versions}
    return versions


class TestPublisher:
    def test_survives_random_kills(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        seed = random.SystemRandom().randrange(10**9)
        print(f"seed {seed}")  # shown where the test fails
        moments = random.Random(seed)
        began = time.monotonic()
        home.build(warehouse)
        once = time.monotonic() - began
        killed, struck = [Publisher(home, warehouse, changed_warehouse)], 0
        with Reader(home.public) as reader:
            for number in range(1, KILLS + 1):
                publisher = killed[-1]
                publisher.wait_until_ready()
                if number < KILLS:
                    killed.append(Publisher(home, warehouse, changed_warehouse))  # gets ready meanwhile
                publisher.publish(number)
                if number % 10 == 5:
                    publisher.answer()  # a slow machine must not kill all of them before the end
                else:
                    time.sleep(moments.uniform(0, 2 * once))
                publisher.kill()
                struck += bool(home.unfinished())  # it was at work
            home.build(changed_warehouse if KILLS % 2 == 0 else warehouse, later(25))
        assert [publisher.process.returncode for publisher in killed] == [-signal.SIGKILL] * KILLS
        assert reader.faults == []
        assert reader.polls > KILLS
        assert struck > KILLS // 5
        assert len(reader.seen) > 1
        assert set(reader.seen) <= set(kept(home))
        assert reader.seen == sorted(reader.seen, key=lambda version: int(version.rpartition(".")[2]))
        assert home.unfinished() == []
        undisturbed = Home(home.root.parent / "undisturbed")
        assert contents(undisturbed.build(warehouse).path) == contents(home.public / "releases" / "2026.11.1")

    def test_recovers_from_missing_permissions(self, home: Home, warehouse: Path, changed_warehouse: Path) -> None:
        if os.geteuid() == 0 and not shutil.which("setpriv"):
            pytest.skip("permissions do not hold root, and there is no setpriv to give up that power")
        home.build(warehouse)
        publisher = Publisher(home, warehouse, changed_warehouse, under=OBEDIENT if os.geteuid() == 0 else ())
        publisher.wait_until_ready()
        with Reader(home.public) as reader:
            for place in (home.public, home.public / "releases", home.staging):
                place.chmod(0o555)
                publisher.publish(1)
                reply = publisher.answer()
                place.chmod(0o755)
                assert reply.startswith("refused:"), place
                assert reply.endswith("the current release is unchanged"), reply
                assert json.loads((home.public / "latest.json").read_bytes())["version"] == "2026.11.1"
            publisher.publish(1)
            assert publisher.answer() == "2026.11.2"
        publisher.kill()
        assert reader.faults == []
        assert kept(home) == ["2026.11.1", "2026.11.2"]

    @pytest.mark.parametrize("free", [20, 60, 200, 700])
    def test_recovers_from_full_disk(self, tmp_path: Path, warehouse: Path, changed_warehouse: Path, free: int) -> None:
        """`free` is the space in kilobytes that is left for the second release."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], capture_output=True, check=False)
        if mounted.returncode != 0:
            pytest.skip("no file system of its own can be mounted here")
        try:
            home = Home(disk / "home")
            home.build(warehouse)
            filler = disk / "filler"
            size = shutil.disk_usage(disk).free - free * 1024
            filler.write_bytes(b"\0" * size)
            with Reader(home.public) as reader:
                with pytest.raises(exports.ReleaseError, match="the current release is unchanged"):
                    home.build(changed_warehouse, later(2))
                filler.unlink()
                assert kept(home) == ["2026.11.1"]
                assert home.build(changed_warehouse, later(2)).version == "2026.11.2"
            assert reader.faults == []
            assert kept(home) == ["2026.11.1", "2026.11.2"]
            assert home.unfinished() == []
        finally:
            subprocess.run(["umount", str(disk)], check=False)
