"""What an operator does to published releases: roll back, withdraw, pin and prune.

If a command is killed at any moment, the release that `latest.json` names is whole, and the next command or build completes or undoes
what was begun. The caller holds the lock of the workspace. The files of releases are never changed.

A release that an operator took back stays so: a build with the same tables publishes nothing and says why. Different tables are
published as usual and end a rollback. A withdrawal never ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exports.model import checksums
from exports.model.errors import ReleaseError, ReleaseRequestError
from exports.release import ledger as ledger_files
from exports.release import public_folder
from exports.release.entries import PINNED, PRUNED, RELEASES, ROLLBACK, WITHDRAWAL, WITHDRAWN, Entry, LatestChange
from exports.release.ledger import Ledger
from pipelines.core.clock import timestamp


@dataclass(frozen=True)
class LatestResult:
    """`current` is the release that `latest.json` names now, and `left` the one that it named before.

    `skipped` are damaged releases that a withdrawal would otherwise have made current.
    """

    current: str
    left: str
    skipped: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.current != self.left


@dataclass(frozen=True)
class PinResult:
    """The pinned version, and whether it was not pinned before."""

    version: str
    changed: bool


@dataclass(frozen=True)
class PruneResult:
    """Versions whose files were removed, versions whose files still exist, and the bytes that were freed."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    bytes: int


def rollback(public: Path, staging: Path, version: str, reason: str, now: datetime) -> LatestResult:
    """Make the kept release `version` the current one, also forward again after an earlier rollback. Raises ReleaseError."""
    reason = _required(reason)
    with _opened(public, staging) as (ledger, current, work):
        target = _kept_entry(ledger, version)
        if target.version == current.version:
            return LatestResult(current.version, current.version)
        unchanged = f"{current.version} remains the current release"
        if target.is_withdrawn:
            raise ReleaseRequestError(f"{version} was withdrawn{target.when_and_why(WITHDRAWN)}; {unchanged}")
        if _content_was_withdrawn(ledger, target):
            raise ReleaseRequestError(f"{version} has the same content as a later release that was withdrawn; {unchanged}")
        if faults := checksums.faults(public / RELEASES / version):
            raise ReleaseRequestError(f"{version} is damaged ({faults[0]}); {unchanged}")
        public_folder.change_latest(LatestChange(ROLLBACK, current.version, version, timestamp(now), reason), ledger, public, work)
        return LatestResult(version, current.version)


def withdraw(public: Path, staging: Path, version: str, reason: str, now: datetime) -> LatestResult:
    """Mark `version` as withdrawn for ever; its files stay. If it is the current release, the newest suitable one replaces it.

    A release that a rollback took back is not suitable: the one that it went back to is. Raises ReleaseError, also if no other release can
    become current.
    """
    reason = _required(reason)
    with _opened(public, staging) as (ledger, current, work):
        target = _entry(ledger, version)
        if target.is_withdrawn:
            return LatestResult(current.version, current.version)
        if target.version != current.version:
            public_folder.write_ledger(ledger.after_withdrawal(version, timestamp(now), reason, current=current.version), public, work)
            return LatestResult(current.version, current.version)
        skipped = []
        taken_back = ledger.taken_back()
        for entry in reversed(ledger.releases):
            if entry.is_withdrawn or entry.is_pruned or entry.content == target.content or _content_was_withdrawn(ledger, entry):
                continue
            if entry.version in taken_back:
                continue
            if checksums.faults(public / RELEASES / entry.version):
                skipped.append(entry.version)
                continue
            public_folder.change_latest(LatestChange(WITHDRAWAL, version, entry.version, timestamp(now), reason), ledger, public, work)
            return LatestResult(entry.version, version, tuple(skipped))
        damaged = f" ({', '.join(skipped)}: damaged)" if skipped else ""
        raise ReleaseError(
            f"{version} is the current release, and no other release can replace it{damaged}; nothing was changed. "
            "Publish a better release first, then withdraw this one"
        )


def pin(public: Path, staging: Path, version: str, now: datetime) -> PinResult:
    """Keep `version` for ever. Raises ReleaseError."""
    with _opened(public, staging) as (ledger, _, work):
        if _kept_entry(ledger, version).is_pinned:
            return PinResult(version, False)
        public_folder.write_ledger(ledger.annotate(version, PINNED, at=timestamp(now)), public, work)
        return PinResult(version, True)


def prune(public: Path, staging: Path, keep: int, now: datetime) -> PruneResult:
    """Remove the files of all releases older than the `keep` newest ones, not counting withdrawn releases.

    The current release and pinned releases always stay. The ledger keeps every version, so that none is reused. Raises ReleaseError.
    """
    if keep < 1:
        raise ReleaseRequestError(f"--keep {keep}: at least one release must be kept")
    with _opened(public, staging) as (ledger, current, work):
        counted = [e.version for e in ledger.releases if not e.is_pruned and not e.is_withdrawn]
        newest = counted[-keep:]
        versions = [e.version for e in ledger.releases]
        older = ledger.releases[: versions.index(newest[0])] if len(counted) >= keep else ()
        removed = [e.version for e in older if not e.is_pruned and not e.is_pinned and e.version != current.version]
        folders = [public / RELEASES / version for version in removed]
        freed = _freed_bytes(folders)
        after = ledger
        for version in removed:
            after = after.annotate(version, PRUNED, at=timestamp(now))
        if removed:
            public_folder.write_ledger(after, public, work)
        for folder in folders:
            if folder.is_dir():
                public_folder.remove_release(folder, work)
        return PruneResult(tuple(removed), tuple(after.kept), freed)


def _freed_bytes(folders: Sequence[Path]) -> int:
    """Return the bytes of the files in `folders` that no other folder shares."""
    files = [path.stat() for folder in folders for path in folder.rglob("*") if path.is_file()]
    links = Counter(file.st_ino for file in files)
    return sum({file.st_ino: file.st_size for file in files if links[file.st_ino] >= file.st_nlink}.values())


def recover(public: Path, staging: Path) -> None:
    """Complete or undo what a killed command left, for a run that has nothing to build. Raises ReleaseError."""
    with _opened(public, staging):
        pass


@contextmanager
def _opened(public: Path, staging: Path) -> Iterator[tuple[Ledger, Entry, Path]]:
    """Yield the ledger after recovery, the current release, and a work folder on the same file system."""
    if not public.is_dir() or ledger_files.current(public) is None:
        raise ReleaseRequestError(f"{public}: nothing has been published yet")
    work = staging / public_folder.WORK
    try:
        if work.exists():
            public_folder.discard(work)
        work.mkdir(parents=True)
        if work.stat().st_dev != public.stat().st_dev:
            raise ReleaseError(f"{staging} and {public} must be on the same file system")
        ledger, current = public_folder.recover(public, work)
        assert current is not None
        yield ledger, current, work
    except OSError as error:
        raise ReleaseError(f"{error}; check which release is current, and repeat the command") from error
    finally:
        public_folder.discard(work, ignore_errors=True)


def _entry(ledger: Ledger, version: str) -> Entry:
    entry = ledger.find(version)
    if entry is None:
        raise ReleaseRequestError(f"{version}: no such release; the releases are {', '.join(ledger.kept)}")
    return entry


def _kept_entry(ledger: Ledger, version: str) -> Entry:
    entry = _entry(ledger, version)
    if entry.is_pruned:
        raise ReleaseRequestError(f"{version}: its files were removed{entry.when_and_why(PRUNED)}")
    return entry


def _content_was_withdrawn(ledger: Ledger, entry: Entry) -> bool:
    """Whether the newest release with the same content was withdrawn."""
    newest = next(e for e in reversed(ledger.releases) if e.content == entry.content)
    return newest.is_withdrawn


def _required(reason: str) -> str:
    """Return the reason on one line. Raises ReleaseRequestError if it is empty."""
    reason = " ".join(reason.split())
    if not reason:
        raise ReleaseRequestError("--reason: expected a reason; it becomes part of the public ledger")
    return reason
