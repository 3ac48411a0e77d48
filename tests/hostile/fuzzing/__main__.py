"""The command: `python -m tests.hostile.fuzzing --seconds N --seed S [--only TARGET] [--keep FOLDER]`.

The work is done by a process of its own, so that a case that ends it is found, too. Exit code 1: something was found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.hostile.fuzzing import campaign
from tests.hostile.fuzzing.case import Target
from tests.hostile.fuzzing.declared import Packs
from tests.hostile.fuzzing.files import Readers
from tests.hostile.fuzzing.listening import Receiver, Server
from tests.hostile.fuzzing.pushed import Events

NAMES = ("readers", "packs", "receiver", "server", "events")
_WORK = "--work"


def targets(folder: Path, names: list[str]) -> dict[str, Callable[[], Target]]:
    """Return how the targets are made; each has its own folder in `folder`. ZPO2_MIRROR names the folder with real files of sources."""
    mirror = os.environ.get("ZPO2_MIRROR")
    places = {name: folder / name for name in names}
    for place in places.values():
        place.mkdir(parents=True)
    made: dict[str, Callable[[], Target]] = {
        "readers": lambda: Readers(places["readers"], Path(mirror) if mirror else None), "packs": lambda: Packs(places["packs"]),
        "receiver": lambda: Receiver(places["receiver"]), "server": lambda: Server(places["server"]), "events": lambda: Events(places["events"]),
    }  # fmt: skip
    return {name: made[name] for name in names}


def main() -> int:
    """Run the fuzzing for the given time and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzzing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=NAMES, action="append")
    parser.add_argument("--keep", type=Path, help="folder for what is found; default: a temporary one")
    parser.add_argument("--new-kinds", action="store_true", help="also keep each case with a new outcome, to choose files for the corpus")
    parser.add_argument(_WORK, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    keep: Path = (options.keep or Path(tempfile.mkdtemp(prefix="fuzzing-"))).absolute()
    keep.mkdir(parents=True, exist_ok=True)
    if options.work:
        return _work(keep, options.seconds, options.seed, options.only or list(NAMES), options.new_kinds)
    ends, seed, code = time.monotonic() + options.seconds, options.seed, 0
    while (left := ends - time.monotonic()) > 0:
        chosen = [word for name in options.only or () for word in ("--only", name)]
        more = ["--new-kinds"] if options.new_kinds else []
        command = [sys.executable, "-m", "tests.hostile.fuzzing", _WORK, "--seconds", str(left), "--seed", str(seed), "--keep", str(keep)]
        done = subprocess.run([*command, *chosen, *more], check=False)
        code = max(code, int(done.returncode != 0))
        if done.returncode in (0, 1):
            break
        (keep / campaign.CURRENT).rename(keep / f"ended-{seed}")
        print(f"FOUND the process that asks ended with exit code {done.returncode} ({keep / f'ended-{seed}'})", flush=True)
        seed += 1_000_000
    return code


def _work(keep: Path, seconds: float, seed: int, names: list[str], new_kinds: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="fuzzing-") as folder:
        report = campaign.run(targets(Path(folder), names), seconds, seed, keep, new_kinds=new_kinds)
    print("\n".join(report.lines()), flush=True)
    return int(bool(report.findings))


if __name__ == "__main__":
    raise SystemExit(main())
