"""The life of a release after its publication: `latest` taken back to it, withdrawn, pinned, pruned. What an operator asks for.

On top of `ledger`: killed at any moment, the release that `latest.json` names is there and whole, and the next command or build finishes
or forgets what was begun. The caller holds the home: nothing else may write to `public` meanwhile. Releases themselves are never changed.

What was taken back stays so. A build whose tables are those of a withdrawn release, or of one that a rollback left behind, publishes
nothing and says why; tables that differ are published as ever, and end a rollback. A withdrawal does not end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from exports.model import checksums
from exports.model.errors import ReleaseError
from exports.release import ledger
from exports.release.ledger import PINNED, PRUNED, ROLLBACK, WITHDRAWAL, WITHDRAWN, Entry, Ledger, Move
from pipelines.core.clock import timestamp
from pipelines.core.errors import ExitCode

KEEP = 10
WORK = "publication"  # the same as a build's: whoever comes next sweeps it


class RefusedError(ReleaseError):
    """What was asked for cannot be done with that release; nothing was changed."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class Moved:
    """`current` is the release that `latest.json` names now; `left` the one before, the same where nothing had to move.

    `skipped` are releases that a withdrawal would have come to, had their files been whole.
    """

    current: str
    left: str
    skipped: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.current != self.left


@dataclass(frozen=True)
class Pinned:
    version: str
    changed: bool


@dataclass(frozen=True)
class Pruned:
    """Versions whose files were removed and those whose files are there, in the order of publication; the bytes that were freed."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    bytes: int


def rollback(public: Path, staging: Path, version: str, reason: str, now: datetime) -> Moved:
    """Make the kept release `version` the current one; also the way forward again after a rollback. Raises ReleaseError."""
    why = _reason(reason)
    with _opened(public, staging) as (known, current, work):
        target = _there(known, version)
        if target.version == current.version:
            return Moved(current.version, current.version)
        if target.is_withdrawn:
            raise RefusedError(f"{version} was withdrawn{target.told(WITHDRAWN)}; {current.version} stays the current release")
        if _was_withdrawn_as(known, target):
            raise RefusedError(
                f"{version} holds the same as a later release that was withdrawn; {current.version} stays the current release"
            )
        if faults := checksums.faults(public / ledger.RELEASES / version):
            raise RefusedError(f"{version} is damaged ({faults[0]}); {current.version} stays the current release")
        ledger.move(Move(ROLLBACK, current.version, version, _stamp(now), why), known, public, work)
        return Moved(version, current.version)


def withdraw(public: Path, staging: Path, version: str, reason: str, now: datetime) -> Moved:
    """Mark `version` as withdrawn, for ever; its files stay. If it is the current release, the newest other one takes its place in the
    same step. Raises ReleaseError, also where there is no other one.
    """
    why = _reason(reason)
    with _opened(public, staging) as (known, current, work):
        target = _known(known, version)
        if target.is_withdrawn:
            return Moved(current.version, current.version)
        if target.version != current.version:
            ledger.put(known.withdrawn(version, _stamp(now), why, current=current.version), public, work)
            return Moved(current.version, current.version)
        skipped = []
        for entry in reversed(known.releases):
            if entry.is_withdrawn or entry.is_pruned or entry.content == target.content or _was_withdrawn_as(known, entry):
                continue
            if checksums.faults(public / ledger.RELEASES / entry.version):
                skipped.append(entry.version)
                continue
            ledger.move(Move(WITHDRAWAL, version, entry.version, _stamp(now), why), known, public, work)
            return Moved(entry.version, version, tuple(skipped))
        damaged = f" ({', '.join(skipped)}: damaged)" if skipped else ""
        raise ReleaseError(
            f"{version} is the current release, and there is no other one that could take its place{damaged}; nothing was changed. "
            "Publish a better one first, then withdraw this one"
        )


def pin(public: Path, staging: Path, version: str, now: datetime) -> Pinned:
    """Keep `version` for ever. Raises ReleaseError."""
    with _opened(public, staging) as (known, _, work):
        target = _there(known, version)
        if target.is_pinned:
            return Pinned(version, False)
        ledger.put(known.with_note(version, PINNED, at=_stamp(now)), public, work)
        return Pinned(version, True)


def prune(public: Path, staging: Path, keep: int, now: datetime) -> Pruned:
    """Remove the files of releases older than the `keep` newest ones, withdrawn ones not counted; never of the current one, nor of a pinned
    one. The ledger goes on knowing them, so that no version is given twice. Raises ReleaseError.
    """
    if keep < 1:
        raise RefusedError(f"--keep {keep}: at least one release is kept")
    with _opened(public, staging) as (known, current, work):
        standing = [e.version for e in known.releases if not e.is_pruned and not e.is_withdrawn]
        newest = standing[-keep:]
        versions = [e.version for e in known.releases]
        older = known.releases[: versions.index(newest[0])] if len(standing) >= keep else ()
        goes = [e.version for e in older if not e.is_pruned and not e.is_pinned and e.version != current.version]
        folders = [public / ledger.RELEASES / version for version in goes]
        freed = sum(p.stat().st_size for folder in folders for p in folder.rglob("*") if p.is_file())
        after = known
        for version in goes:
            after = after.with_note(version, PRUNED, at=_stamp(now))
        if goes:
            ledger.put(after, public, work)
        for folder in folders:
            if folder.is_dir():
                ledger.remove(folder, work)
        return Pruned(tuple(goes), tuple(e.version for e in after.releases if not e.is_pruned), freed)


def settle(public: Path, staging: Path) -> None:
    """End what was begun and killed, and put right what is made from the ledger: for a run that has nothing to build. Raises ReleaseError."""
    with _opened(public, staging):
        pass


@contextmanager
def _opened(public: Path, staging: Path) -> Iterator[tuple[Ledger, Entry, Path]]:
    """Yield the ledger as it stands after whatever was killed before, the current release, and a work folder on the same file system."""
    if not public.is_dir() or ledger.current(public) is None:
        raise RefusedError(f"{public}: nothing was published yet")
    work = staging / WORK
    try:
        if work.exists():
            ledger.discard(work)
        work.mkdir(parents=True)
        if work.stat().st_dev != public.stat().st_dev:
            raise ReleaseError(f"{staging} and {public} must lie on one file system")
        known, current = ledger.recover(public, work), ledger.current(public)
        assert current is not None
        yield known, current, work
    except OSError as error:
        raise ReleaseError(f"{error}; see which release is current, and repeat the command") from error
    finally:
        ledger.discard(work, anyway=True)


def _known(known: Ledger, version: str) -> Entry:
    found = known.find(version)
    if found is None:
        kept = ", ".join(e.version for e in known.releases if not e.is_pruned)
        raise RefusedError(f"{version}: there is no such release; there are {kept}")
    return found


def _there(known: Ledger, version: str) -> Entry:
    found = _known(known, version)
    if found.is_pruned:
        raise RefusedError(f"{version}: its files were removed{found.told(PRUNED)}")
    return found


def _was_withdrawn_as(known: Ledger, entry: Entry) -> bool:
    """Whether the newest release that says the same was withdrawn."""
    newest = next(e for e in reversed(known.releases) if e.content == entry.content)
    return newest.is_withdrawn


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise RefusedError("--reason: say why; it becomes part of the public ledger")
    return reason


def _stamp(now: datetime) -> str:
    return timestamp(now.astimezone(UTC))
