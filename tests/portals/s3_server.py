"""Start and stop a real S3 server on loopback: Ceph's radosgw with one monitor and one storage daemon that keeps everything in memory.

    python tests/portals/s3_server.py start FOLDER
    python tests/portals/s3_server.py stop FOLDER

Needs Debian's packages radosgw, ceph-mon, ceph-osd and ceph-common. Everything lives in FOLDER, and nothing listens beyond loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

URL = "http://127.0.0.1:7480"
KEY, SECRET = "portal-test-id", "portal-test-secret"
CLUSTER = "7d0c1f0e-4a53-4f6b-9b53-2f1f5a0f8a10"
DISK = "0b9d1f6e-0f2a-4a0c-8d6e-5a8c7b1e2d30"
PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
CONFIGURATION = """\
[global]
fsid = {cluster}
mon host = [v1:127.0.0.1:6789]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr2 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 2
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
run dir = {folder}/run
crash dir = {folder}/run
admin socket = {folder}/run/$name.asok
pid file = {folder}/run/$name.pid
log file = {folder}/log/$name.log
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:7480
"""


def missing_programs() -> list[str]:
    """Return the programs that have to be installed first."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def start(folder: Path) -> None:
    """Start the server with an empty store and make a user with `KEY` and `SECRET`. Raises RuntimeError if it does not come up."""
    for name in ("mon", "osd", "rgw", "run", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    configuration = folder / "ceph.conf"
    configuration.write_text(CONFIGURATION.format(cluster=CLUSTER, folder=folder), encoding="utf-8")
    config = ("-c", str(configuration))
    monitors = str(folder / "monmap")
    _run("monmaptool", "--create", "--clobber", "--fsid", CLUSTER, "--addv", "a", "[v1:127.0.0.1:6789]", monitors)
    _run("ceph-mon", *config, "-i", "a", "--mkfs", "--monmap", monitors)
    _run("ceph-mon", *config, "-i", "a")
    _run("ceph", *config, "osd", "create", DISK)
    _run("ceph-osd", *config, "-i", "0", "--mkfs", "--osd-uuid", DISK)
    _run("ceph", *config, "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=loopback")
    _run("ceph-osd", *config, "-i", "0")
    _run("radosgw", *config, "-n", "client.rgw")
    _wait_until_up()
    _run(
        "radosgw-admin",
        *config,
        "user",
        "create",
        "--uid=publisher",
        "--display-name=Publisher",
        f"--access-key={KEY}",
        f"--secret-key={SECRET}",
    )


def stop(folder: Path) -> None:
    """Stop the processes that `start` has started, newest first."""
    for name in ("client.rgw", "osd.0", "mon.a"):
        path = folder / "run" / f"{name}.pid"
        if path.exists():
            process = int(path.read_text(encoding="utf-8"))
            _end(process)


def _run(*command: str) -> None:
    """Run a command, several times if need be: a monitor refuses clients for a moment after it has started."""
    for attempt in range(1, 11):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if not done.returncode:
            return
        if command[0] != "ceph" or attempt == 10:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
        time.sleep(1)


def _wait_until_up() -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(URL, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"{URL}: the server did not come up within a minute")


def _end(process: int) -> None:
    for signal in (15, 9):
        for _ in range(50):
            try:
                os.kill(process, signal)
            except ProcessLookupError:
                return
            time.sleep(0.2)


if __name__ == "__main__":
    action, place = sys.argv[1], Path(sys.argv[2]).absolute()
    if absent := missing_programs():
        sys.exit(f"{', '.join(absent)}: not installed; Debian's packages are radosgw, ceph-mon, ceph-osd and ceph-common")
    {"start": start, "stop": stop}[action](place)
