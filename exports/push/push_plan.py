"""Which release goes out, with the files that lie beside the releases; looked at byte by byte before anything is sent. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from exports.model import checksums
from exports.model.info import FileFacts
from exports.release import ledger
from exports.release.ledger import LATEST, LEDGER, PRUNED, RELEASES, WITHDRAWN, Entry
from pipelines.core.errors import UsageError, Zpo2Error


class PushError(Zpo2Error):
    """The target refused or failed, or the release is damaged; the same command goes on where this one stopped."""


class RefusedError(UsageError):
    """What the command asks for cannot be done; nothing was sent."""


@dataclass(frozen=True)
class Outgoing:
    """A release that is whole. `files` are those of its folder by path, `around` the contents of the files beside the releases, the
    pointer last; those belong to the current release and are empty for any other. `history` are all releases up to this one.
    """

    version: str
    folder: Path
    files: Mapping[str, FileFacts]
    around: Mapping[str, bytes]
    history: tuple[Entry, ...]

    @property
    def place(self) -> str:
        """The folder of the release below the root of what is published."""
        return f"{RELEASES}/{self.version}/"

    def still_sound(self, path: str) -> Path:
        """Return where a file lies, its bytes being those of the release at this moment, too. Raises PushError."""
        file = self.folder / path
        if checksums.facts(file) != self.files[path]:
            raise PushError(f"{path} changed since it was looked at: the release is damaged; it was not sent")
        return file

    def still_current(self) -> None:
        """Before the files beside the releases go out: they must not take a target back that has got a newer release meanwhile.

        Raises PushError where another release has become the current one since this one was chosen.
        """
        now = ledger.current(self.folder.parent.parent)
        if self.around and (now is None or now.version != self.version):
            raise PushError(f"{now.version if now else 'no release'} became current meanwhile; the same command brings that one")

    @property
    def bytes(self) -> int:
        return sum(facts.bytes for facts in self.files.values())


def choose(public: Path, version: str | None) -> Outgoing:
    """Return the release `version`, or the current one. Raises RefusedError, PushError, ReleaseError."""
    around = _around(public)
    known, current = ledger.history(public), ledger.current(public)
    if current is None:
        raise RefusedError("nothing was published yet")
    if current.version not in {e.version for e in known}:
        known = [*known, current]  # published a moment ago, and not yet counted
    entry = current if version is None else next((e for e in known if e.version == version), None)
    if entry is None:
        there = ", ".join(e.version for e in known if not e.is_pruned)
        raise RefusedError(f"{version}: there is no such release; there are {there}")
    if entry.is_pruned:
        raise RefusedError(f"{entry.version}: its files were removed{entry.told(PRUNED)}")
    if withdrawn := next((e for e in known if e.is_withdrawn and e.content == entry.content), None):
        same = "" if withdrawn is entry else f"holds the same as {withdrawn.version}, which "
        raise RefusedError(f"{entry.version} {same}was withdrawn{withdrawn.told(WITHDRAWN)}: it is not pushed anywhere any more")
    folder = public / RELEASES / entry.version
    if faults := checksums.faults(folder):
        raise PushError(f"{entry.version} is damaged ({faults[0]}); nothing was sent")
    sums = checksums.read(folder)
    files = {path: FileFacts((folder / path).stat().st_size, sha256) for path, sha256 in sorted(sums.items())}
    files[checksums.NAME] = checksums.facts(folder / checksums.NAME)
    history = tuple(known[: known.index(entry) + 1])
    return Outgoing(entry.version, folder, files, around if entry.version == current.version else {}, history)


def _around(public: Path) -> dict[str, bytes]:
    """Return the contents of the files beside the releases as they were at one moment, the ledger and then the pointer last."""
    while True:
        before = _contents(public, (LATEST, LEDGER))
        names = sorted(p.name for p in public.iterdir() if p.is_file() and not p.name.startswith(".")) if public.is_dir() else []
        others = _contents(public, [name for name in names if name not in before])
        if _contents(public, (LATEST, LEDGER)) == before:
            return {**others, **{name: before[name] for name in (LEDGER, LATEST) if name in before}}


def _contents(public: Path, names: Iterable[str]) -> dict[str, bytes]:
    found = {}
    for name in names:
        try:
            found[name] = (public / name).read_bytes()
        except FileNotFoundError:
            continue  # it went, or was never there
    return found
