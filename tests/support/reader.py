"""A reader of `public` that polls all the while others publish, and keeps what it saw."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from exports.model import checksums


@dataclass
class Reader:
    """As a context: asks `latest.json` again and again and reads the release that it names, every byte of it.

    `seen` are the versions in the order in which they became current for it, `polls` how often it read a release, `faults` what was wrong.
    A release must be whole and of one piece from the first moment to the last; what was current once must never be missing.
    """

    public: Path
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    polls: int = 0

    def __enter__(self) -> Reader:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll_on)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _poll_on(self) -> None:
        while not self._stop.wait(0.005):
            try:
                self.poll()
            except Exception as error:  # whatever a reader stumbles over is a finding
                self.faults.append(f"{type(error).__name__}: {error}")

    def poll(self) -> None:
        try:
            latest = json.loads((self.public / "latest.json").read_bytes())
        except FileNotFoundError:
            if self.seen:
                self.faults.append(f"latest.json is gone after {self.seen[-1]}")
            return
        folder = self.public / latest["path"]
        version = latest["version"]
        if version not in self.seen[-1:]:
            self.seen.append(version)
        self.faults += [f"{version}: {fault}" for fault in checksums.faults(folder)]
        package = json.loads((folder / "datapackage.json").read_bytes())
        said = (package["version"], package["created"], json.loads((folder / "provenance.json").read_bytes())["version"])
        if said != (version, latest["released"], version):
            self.faults.append(f"{version} is a mixture: {said}")
        self.polls += 1
