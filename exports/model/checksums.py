"""SHA256SUMS: one line for every file of a release but itself, as `sha256sum -c` reads it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from exports.model.info import FileFacts

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def facts(path: Path) -> FileFacts:
    """Return size and checksum of a file."""
    with path.open("rb") as file:
        return FileFacts(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def facts_of(content: bytes) -> FileFacts:
    """Return size and checksum of bytes."""
    return FileFacts(len(content), hashlib.sha256(content).hexdigest())


def files(folder: Path) -> Iterator[str]:
    """Yield the path of everything in `folder` that is not a folder, relative to it, sorted."""
    yield from sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())


def write(folder: Path, known: Mapping[str, FileFacts]) -> None:
    """Write the checksums of all files in `folder`; those in `known` were already taken."""
    lines = [f"{(known.get(path) or facts(folder / path)).sha256}  {path}\n" for path in files(folder) if path != NAME]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def read(folder: Path) -> dict[str, str]:
    """Return checksums by path. Raises `ValueError` on a line that is none."""
    sums: dict[str, str] = {}
    for number, line in enumerate((folder / NAME).read_text(encoding="utf-8").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if not match or match[2] in sums:
            raise ValueError(f"line {number} is no checksum of another file: {line[:80]!r}")
        sums[match[2]] = match[1]
    return sums


def faults(folder: Path) -> list[str]:
    """Return one line for every file that is missing, surplus, or not the bytes that SHA256SUMS says."""
    try:
        sums = read(folder)
    except FileNotFoundError:
        return [f"{NAME}: missing"]
    except (OSError, ValueError) as error:
        return [f"{NAME}: {error}"]
    there = set(files(folder)) - {NAME}
    found = [f"{path}: listed in {NAME}, but not there" for path in sorted(set(sums) - there)]
    found += [f"{path}: not listed in {NAME}" for path in sorted(there - set(sums))]
    for path in sorted(there & set(sums)):
        if (folder / path).is_symlink() or not (folder / path).is_file():
            found.append(f"{path}: not a regular file")
            continue
        try:
            if facts(folder / path).sha256 != sums[path]:
                found.append(f"{path}: its bytes are not those of {NAME}")
        except OSError as error:
            found.append(f"{path}: {error.strerror or error}")
    return found
