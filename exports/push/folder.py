"""Push a release into a folder, such as the root of a web server or a network drive. The folder gets the layout of `public`.

Every step is durable before the next one: the files are copied aside and compared with their checksums, the copy is renamed to its final
place, and the pointer files are replaced, latest.json last. If the process is killed at any moment, the target keeps its last state, and
the next push uses what was already copied.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from exports.model import checksums
from exports.model.info import FileFacts
from exports.push.errors import PushError
from exports.push.push_plan import PushPlan
from exports.release.public_folder import LINK, sync
from pipelines.core.errors import UsageError
from pipelines.core.locks import file_lock

WORK = ".zpo2-push"
BLOCK = 1 << 20
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def push(plan: PushPlan, target: Path, report_progress: Callable[[str], None], *, dry_run: bool = False) -> bool:
    """Copy the release and its pointer files to `target`. Return whether anything was, or would be, changed.

    Raises PushError if the target fails or has a different release with the same version, and UsageError if it is the source itself.
    """
    public = plan.folder.parent.parent.resolve()
    if target.resolve() == public or public in target.resolve().parents:
        raise UsageError(f"--to {target}: expected a different folder than the one that the release comes from")
    if target.exists() and not target.is_dir():
        raise UsageError(f"--to {target}: is not a folder")
    place = target / plan.path
    try:
        missing = not _has_release(plan, place)
        stale = [name for name, content in plan.pointer_files.items() if _content(target / name) != content]
        would = "would " if dry_run else ""
        if missing:
            report_progress(f"{would}copy {len(plan.files)} files, {plan.bytes} bytes, to {place}")
        for name in stale:
            report_progress(f"{would}{'replace' if (target / name).exists() else 'write'} {target / name}")
        if dry_run or not (missing or stale):
            return bool(missing or stale)
        with _locked_work_folder(target) as work:
            if missing:
                _move_into_place(plan, _copy_release(plan, work / plan.version), place, work)
            plan.check_still_current()
            for name in stale:
                _replace(target / name, plan.pointer_files[name], work)
            if plan.pointer_files:
                _link(target / LINK, Path(plan.path, checksums.NAME), work)
    except OSError as error:
        raise PushError(
            f"{error.filename or target}: {error.strerror or error}; {target} is unchanged, and the same command continues from here"
        ) from None
    return True


def _has_release(plan: PushPlan, place: Path) -> bool:
    """Whether the target has an undamaged copy of the release. Raises PushError if it has a different release with this version."""
    if not place.is_dir():
        return False
    intact = not checksums.faults(place)
    if intact and checksums.facts(place / checksums.NAME) != plan.files[checksums.NAME]:
        raise PushError(f"{place} is a different release with the same version; use one folder for each workspace")
    return intact


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _locked_work_folder(target: Path) -> Iterator[Path]:
    """Lock `target` against other pushes, and yield a folder for unfinished work on its file system."""
    target.mkdir(parents=True, exist_ok=True)
    work = target / WORK
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(target))
        except BlockingIOError:
            raise PushError(f"{target}: another push is running; try again when it is finished") from None
        work.mkdir(exist_ok=True)
        try:
            yield work
        except OSError as error:
            if error.errno in _DISK_FULL:  # free the disk, although the next push could have used the copies
                shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work)


def _copy_release(plan: PushPlan, copy: Path) -> Path:
    """Return `copy` with all files of the release on the disk. Undamaged files of an interrupted push are kept."""
    for path in copy.parent.iterdir():
        if path != copy:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in set(checksums.files(copy)) - set(plan.files) if copy.is_dir() else ():
        (copy / name).unlink()
    for name, facts in plan.files.items():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.is_file() and target.stat().st_size == facts.bytes and checksums.facts(target) == facts):
            _copy_file(plan.folder / name, target, facts)
    for root, _, _ in os.walk(copy, topdown=False):
        os.chmod(root, 0o755)
        sync(Path(root))
    return copy


def _copy_file(source: Path, target: Path, facts: FileFacts) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(BLOCK):
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fchmod(writer.fileno(), 0o644)
        os.fsync(writer.fileno())
    if digest.hexdigest() != facts.sha256:
        raise PushError(f"{source} changed during the push, so the release is damaged; the target is unchanged")


def _move_into_place(plan: PushPlan, copy: Path, place: Path, work: Path) -> None:
    """Rename the finished copy to its final place; a damaged copy there is moved away first."""
    if not place.parent.is_dir():
        place.parent.mkdir()
        place.parent.chmod(0o755)
    if place.exists():
        os.rename(place, work / f"damaged-{plan.version}")
    os.rename(copy, place)
    sync(place.parent)
    sync(place.parent.parent)


def _link(path: Path, to: Path, work: Path) -> None:
    """Replace the link that web servers follow to the current release."""
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
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(new, path)
    sync(path.parent)
