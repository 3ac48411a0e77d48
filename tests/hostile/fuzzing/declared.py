"""The loading of packs: `zpo2 check` on packs in which one file is another one."""

from __future__ import annotations

import json
import random
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.hostile.fuzzing import changes, corpus
from tests.hostile.fuzzing.case import MOST_BYTES, Case, Outcome, fault_of_text, kind_of
from tests.support import decade_pack, five_places, happenings, rules_pack, secret_pack, sums_pack
from tests.support.command import PROJECT, environment

SECONDS = 10.0
"""CPU time for one pack."""
WAITING = 60.0
"""Seconds until the answer."""
_WORDS = re.compile(r"(?m)^\s*(?:- )?\{?\s*([a-z_0-9]+):")
_FAULT = re.compile(r"([\w./\-]+|\S.*?):\d+: .+|and \d+ more faults")
MADE: dict[str, Callable[[Path], Path]] = {
    "five": five_places.write, "rules": rules_pack.write, "happenings": happenings.write, "decade": decade_pack.write, "secret": secret_pack.write,
    "sums": sums_pack.write,
}  # fmt: skip


class Packs:
    """Files of packs: those in packs/, and those that tests make. A case replaces `file` in the pack `pack`."""

    name = "packs"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._keys: list[str] = []
        for name, write in MADE.items():
            if not (folder / name).exists():
                write(folder / name)
        for root in sorted((PROJECT / "packs").glob("*/pack.yml")):
            shutil.copytree(root.parent, folder / root.parent.name, dirs_exist_ok=True)

    def seeds(self) -> list[Case]:
        found = corpus.read(self.name)
        for root in sorted(self._folder.glob("*/pack.yml")):
            for path in sorted([*root.parent.glob("*.yml"), *root.parent.glob("*/*.yml"), *root.parent.glob("snapshots.lock")]):
                file = str(path.relative_to(root.parent))
                found.append(Case(f"{root.parent.name}-{path.name}", path.read_bytes(), {"pack": root.parent.name, "file": file}))
        self._keys = sorted({key for case in found for key in _WORDS.findall(case.content.decode("utf-8", "replace"))})
        return found

    def changed(self, chance: random.Random, pool: Sequence[Case]) -> Case:
        pack = chance.choice(sorted({case.settings["pack"] for case in pool}))  # small packs are as likely as large ones
        case, other = chance.choice([case for case in pool if case.settings["pack"] == pack]), chance.choice(pool)
        content = case.content
        if chance.random() < 0.05:  # a file of another pack
            content = other.content
        for _ in range(chance.choice([1, 1, 2, 4])):
            is_lock = case.settings["file"].endswith(".lock")
            content = changes.in_json(chance, content) if is_lock else changes.in_yaml(chance, content, self._keys)
            content = content[:MOST_BYTES]
        return Case(case.name, content, case.settings)

    def attempt(self, case: Case) -> Outcome:
        path = self._folder / case.settings["pack"] / case.settings["file"]
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(case.content)
        try:
            answer = self._ask(self._folder / case.settings["pack"])
        finally:
            path.unlink() if before is None else path.write_bytes(before)
        if isinstance(answer, str):
            return Outcome(answer, fault=answer)
        output = str(answer["output"])
        signature = f"{answer['exit_code']}: {kind_of(re.sub(r'^[^:]*:[0-9]+: ([^:]*: )?', '', output.splitlines()[0] if output else ''))}"
        return Outcome(signature, _fault(answer, output))

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _ask(self, root: Path) -> dict[str, Any] | str:
        """Return the answer of the process, or how it failed to answer."""
        if self._process is None:
            command = [sys.executable, "-m", "tests.hostile.fuzzing.checker"]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=PROJECT, env=environment()
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{root}\n".encode())
        process.stdin.flush()
        if not select.select([process.stdout], [], [], WAITING)[0]:
            self.close()
            return f"the check had no answer after {WAITING:.0f} seconds"
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self._process = None
            return f"the check ended its process (exit code {code})"
        answer: dict[str, Any] = json.loads(line)
        return answer


def _fault(answer: dict[str, Any], output: str) -> str | None:
    if fault := fault_of_text(output, lines=True, most=2_000_000):
        return fault
    if answer["exit_code"] not in (0, 2):
        return f"exit code {answer['exit_code']}: {output[-300:]!r}"
    if answer["seconds"] > SECONDS:
        return f"the check took {answer['seconds']:.0f} seconds of CPU time"
    odd = next((line for line in output.splitlines() if answer["exit_code"] == 2 and not _FAULT.fullmatch(line)), None)
    return None if odd is None else f"a line without a file: {odd[:200]!r}"
