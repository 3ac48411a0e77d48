"""Which release answers: a given one, or always the current one of a public folder, also after a publication or a withdrawal."""

from __future__ import annotations

import threading
from pathlib import Path

from exports.model.errors import ReleaseError
from exports.query.release import PublishedRelease
from exports.release import ledger


class CurrentRelease:
    """The release to answer from. `folder` is that of a release or a public folder. Several threads can ask at once."""

    def __init__(self, folder: Path) -> None:
        """Open the release. Raises ReleaseError if the folder is neither, or nothing has been published."""
        self._public = folder if (folder / ledger.LATEST).is_file() else None
        self._lock = threading.Lock()
        self._open = PublishedRelease(self._folder() if self._public else folder)

    def __call__(self) -> PublishedRelease:
        """Return the release, opened anew if another one is current by now. Raises ReleaseError."""
        if self._public is None:
            return self._open
        with self._lock:
            if ledger.latest_version(self._public) != self._open.version:
                self._open = PublishedRelease(self._folder())  # the former one closes with the last question that uses it
            return self._open

    def _folder(self) -> Path:
        assert self._public is not None
        latest = ledger.read_latest(self._public)
        if latest is None or not ledger.VERSION.fullmatch(latest.version):
            raise ReleaseError(f"{self._public / ledger.LATEST}: names no release")
        return self._public / "releases" / latest.version
