"""A release into another folder: a web server's root, a network drive. The folder has the form of `public`, and may be served as it is.

The way, every step durable before the next: (1) the files are copied aside, each compared with its checksum, (2) the copy takes its place
in one step, (3) the files beside the releases are replaced, the pointer last. Killed anywhere, the target's last state stands; what was
copied is used by the next push. Whether a release may go out is decided in `outgoing`.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from exports.model import checksums
from exports.model.info import FileFacts
from exports.push.push_plan import Outgoing, PushError, RefusedError
from exports.release.ledger import LINK, sync

WORK = ".zpo2-push"
BLOCK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Tell = Callable[[str], None]


def push(out: Outgoing, target: Path, tell: Tell, *, dry_run: bool = False) -> bool:
    """Make `target` hold the release, and what lies beside the releases; return whether anything was, or would be, changed.

    Raises PushError where the target cannot take it, or holds another release of that name; RefusedError where it is the home's own.
    """
    public = out.folder.parent.parent.resolve()
    if target.resolve() == public or public in target.resolve().parents:
        raise RefusedError(f"--to {target}: that is where the release comes from")
    if target.exists() and not target.is_dir():
        raise RefusedError(f"--to {target}: is no folder")
    place = target / out.place
    try:
        missing = not _is_there(out, place)
        stale = [name for name, content in out.around.items() if _content(target / name) != content]
        verb = "would " if dry_run else ""
        if missing:
            tell(f"{verb}copy {len(out.files)} files, {out.bytes} bytes, to {place}")
        for name in stale:
            tell(f"{verb}replace {target / name}" if (target / name).exists() else f"{verb}write {target / name}")
        if dry_run or not (missing or stale):
            return bool(missing or stale)
        with _held(target) as work:
            if missing:
                _place(out, _copied(out, work / out.version), place, work)
            out.still_current()
            for name in stale:
                _replace(target / name, out.around[name], work)
            if out.around:
                _link(target / LINK, Path(out.place, checksums.NAME), work)
    except OSError as error:
        raise PushError(
            f"{error.filename or target}: {error.strerror or error}; {target} is as it was, and the same command goes on"
        ) from None
    return True


def _is_there(out: Outgoing, place: Path) -> bool:
    """Whether the release lies in its place, whole; False also for a damaged copy, which is replaced. Raises PushError for another one."""
    if not place.is_dir():
        return False
    sound = not checksums.faults(place)
    if sound and checksums.facts(place / checksums.NAME) != out.files[checksums.NAME]:
        raise PushError(f"{place} is another release of the same version; one folder takes the releases of one home only")
    return sound


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _held(target: Path) -> Iterator[Path]:
    """Keep others from pushing to `target` meanwhile; yield a folder for unfinished work, which is on the target's file system."""
    target.mkdir(parents=True, exist_ok=True)
    work = target / WORK
    handle = os.open(target, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PushError(f"{target}: another push is at work there; try again when it is done") from None
        work.mkdir(exist_ok=True)
        try:
            yield work
        except OSError as error:
            if error.errno in _FULL:
                shutil.rmtree(work, ignore_errors=True)  # a full disk needs the room more than the next push the copies
            raise
        shutil.rmtree(work)
    finally:
        os.close(handle)


def _copied(out: Outgoing, copy: Path) -> Path:
    """Return `copy` with all files of the release on the disk; those that an earlier push left there, whole, are kept."""
    for folder in copy.parent.iterdir():
        if folder != copy:
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    for path in set(checksums.files(copy)) - set(out.files) if copy.is_dir() else ():
        (copy / path).unlink()
    for path, facts in out.files.items():
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.is_file() and target.stat().st_size == facts.bytes and checksums.facts(target) == facts):
            _copy(out.folder / path, target, facts)
    for root, _, _ in os.walk(copy, topdown=False):
        os.chmod(root, 0o755)
        sync(Path(root))
    return copy


def _copy(source: Path, target: Path, facts: FileFacts) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(BLOCK):
            digest.update(block)
            write.write(block)
        write.flush()
        os.fchmod(write.fileno(), 0o644)
        os.fsync(write.fileno())
    if digest.hexdigest() != facts.sha256:
        raise PushError(f"{source} changed while it was read: the release is damaged; the target is as it was")


def _place(out: Outgoing, copy: Path, place: Path, work: Path) -> None:
    """Let the finished copy take its place in one step; a damaged one that lies there goes aside first."""
    if not place.parent.is_dir():
        place.parent.mkdir()
        place.parent.chmod(0o755)
    if place.exists():
        os.rename(place, work / f"damaged-{out.version}")
    os.rename(copy, place)
    sync(place.parent)
    sync(place.parent.parent)


def _link(path: Path, to: Path, work: Path) -> None:
    """Let the link that web servers follow to the current release lead to `to`."""
    if path.is_symlink() and path.readlink() == to:
        return
    new = work / path.name
    new.unlink(missing_ok=True)
    new.symlink_to(to)
    os.replace(new, path)
    sync(path.parent)


def _replace(path: Path, content: bytes, work: Path) -> None:
    new = work / path.name
    new.write_bytes(content)
    new.chmod(0o644)
    sync(new)
    os.replace(new, path)
    sync(path.parent)
