"""SHA256SUMS: one line for every other file of a release, in the format of `sha256sum -c`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from exports.model.info import FileFacts

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def facts(path: Path) -> FileFacts:
    """Return the size and checksum of a file."""
    with path.open("rb") as file:
        return FileFacts(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def facts_of(content: bytes) -> FileFacts:
    """Return the size and checksum of bytes."""
    return FileFacts(len(content), hashlib.sha256(content).hexdigest())


def files(folder: Path) -> Iterator[str]:
    """Yield the paths of everything in `folder` that is not a folder, sorted and relative to `folder`."""
    yield from sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())


def write(folder: Path, computed: Mapping[str, FileFacts]) -> None:
    """Write the checksums of all files in `folder`, except that those in `computed` are not computed again."""
    lines = [f"{(computed.get(path) or facts(folder / path)).sha256}  {path}\n" for path in files(folder) if path != NAME]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def read(folder: Path) -> dict[str, str]:
    """Return the checksums by path. Raises ValueError for a line that is not a checksum, and for a path that occurs twice."""
    sums: dict[str, str] = {}
    *lines, rest = (folder / NAME).read_bytes().decode().split("\n")  # no other character ends a line, so that each byte counts
    if rest:
        raise ValueError("its last line has no end")
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if not match or match[2] in sums:
            raise ValueError(f"line {number}: expected a checksum and the path of another file, got {line[:80]!r}")
        sums[match[2]] = match[1]
    return sums


def faults(folder: Path, facts_of: Callable[[str], FileFacts] | None = None) -> list[str]:
    """Return one line for every file that is missing, not listed, or different from its checksum.

    `facts_of` returns size and checksum of the file at a path, if the caller keeps them.
    """
    facts_of = facts_of or (lambda path: facts(folder / path))
    try:
        sums = read(folder)
    except FileNotFoundError:
        return [f"{NAME}: missing"]
    except (OSError, ValueError) as error:
        return [f"{NAME}: {error}"]
    paths = set(files(folder)) - {NAME}
    lines = [f"{path}: listed in {NAME}, but missing" for path in sorted(set(sums) - paths)]
    lines += [f"{path}: not listed in {NAME}" for path in sorted(paths - set(sums))]
    for path in sorted(paths & set(sums)):
        if (folder / path).is_symlink() or not (folder / path).is_file():
            lines.append(f"{path}: not a regular file")
            continue
        try:
            if facts_of(path).sha256 != sums[path]:
                lines.append(f"{path}: does not match its checksum in {NAME}")
        except OSError as error:
            lines.append(f"{path}: {error.strerror or error}")
    return lines
