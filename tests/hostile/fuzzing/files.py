"""The readers: each file is read as a run reads it, by a process of its own with the limits of production."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines import packs
from pipelines.core import isolated as processes
from pipelines.core.errors import Zpo2Error
from pipelines.extract.http import local_files
from pipelines.extract.http.request import address, fill_all
from pipelines.packs.pack import Pack, Part
from pipelines.readers import MODULES, ReadOptions, UnreadableSnapshot, isolated
from pipelines.readers.cells import Columns
from tests.hostile import archives, books, dates, encodings, keys, markup, numbers, shapes, texts
from tests.hostile.fuzzing import changes, corpus
from tests.hostile.fuzzing.case import MOST_BYTES, Case, Outcome, fault_of_text, kind_of
from tests.hostile.fuzzing.excerpts import MOST, excerpt
from tests.support.command import PROJECT

MOST_PARTS = 2
"""Files of one source that become seeds."""
SLACK = 500_000_000
"""Bytes by which a process may exceed its memory until it is seen, and which it shares with others."""
MOST_OF_PARENT = 2_000_000_000
"""Bytes of memory by which the process that asks for files may grow."""
MOST_SECONDS_OF_PARENT = 10.0
"""CPU time of that process for one file."""
VARIABLE = {"format", "unpivot", "fill_down", "ignore", "na"}
"""Options that are not changed at random."""


class Readers:
    """Files of every format, with the `read` blocks of their sources."""

    name = "readers"

    def __init__(self, folder: Path, mirror: Path | None = None, limits: isolated.Limits | None = None) -> None:
        self._folder, self._mirror, self._limits = folder, mirror, limits or isolated.Limits()
        self._most_of_parent = _peak(os.getpid()) + MOST_OF_PARENT

    def seeds(self) -> list[Case]:
        return [*corpus.read(self.name), *_tests(), *_packs(self._mirror)]

    def changed(self, chance: random.Random, pool: Sequence[Case]) -> Case:
        formats = sorted({case.settings["format"] for case in pool})
        format_ = chance.choice(formats)  # a format with few seeds is as likely as one with many
        case = chance.choice([case for case in pool if case.settings["format"] == format_])
        content = case.content
        for _ in range(chance.choice([1, 1, 2, 4])):
            content = changes.in_file(chance, content, format_)[:MOST_BYTES]
        settings = _other_settings(chance, case.settings) if chance.random() < 0.25 else case.settings
        return Case(case.name, content, settings)

    def attempt(self, case: Case) -> Outcome:
        began = time.process_time()
        outcome = self._read(case)
        used = time.process_time() - began
        return replace(outcome, fault=f"the process that asks used {used:.0f} s of CPU time") if used > MOST_SECONDS_OF_PARENT else outcome

    def close(self) -> None:
        processes.stop_all()

    def _read(self, case: Case) -> Outcome:
        path = self._folder / "content"
        path.write_bytes(case.content)
        options = ReadOptions.model_validate(case.settings)
        columns = Columns(None)
        try:
            frame = isolated.read(path, options, columns, self._limits, self._folder)
        except UnreadableSnapshot as error:
            return self._refused(options.format, str(error))
        except Exception as error:
            return Outcome(f"{options.format}: {type(error).__name__}", fault=f"an exception that no reader documents: {error!r}"[:500])
        fault = fault_of_frame(frame) or self._fault_of_memory(len(case.content))
        return Outcome(f"{options.format}: {frame.width} columns, fault {frame['__fault'].null_count() < frame.height}", fault)

    def _refused(self, format_: str, text: str) -> Outcome:
        signature = f"{format_}: {kind_of(text)}"
        if fault := fault_of_text(text):
            return Outcome(signature, f"in the message of the {format_} reader, {fault}")
        if f"the {format_} reader failed" in text:
            return Outcome(signature, f"an exception that no reader documents: {text[:500]}")
        if "ended its process" in text or "reading it was stopped" in text:
            return Outcome(signature, note=kind_of(text))
        return Outcome(signature)

    def _fault_of_memory(self, size: int) -> str | None:
        most = self._limits.memory_for(size) + SLACK
        for process in processes._idle:
            if (used := _peak(process._process.pid)) > most:
                return f"the reader used {used // 10**6} MB of memory, more than {most // 10**6}"
        return "the process that asked has too much memory" if _peak(os.getpid()) > self._most_of_parent else None


def fault_of_frame(frame: pl.DataFrame) -> str | None:
    """Return in what a frame is not as readers promise it."""
    if frame.schema.get("__row") != pl.Int64 or frame.schema.get("__fault") != pl.String:
        return f"no column __row or __fault: {frame.schema}"[:300]
    others = [name for name, kind in frame.schema.items() if kind != pl.String and name != "__row"]
    if others:
        return f"columns that are no text: {others[:5]}"
    if frame["__row"].null_count():
        return "a row without a number"
    for text in frame["__fault"].drop_nulls().unique().head(50):
        if fault := fault_of_text(text):
            return f"in the fault of a row, {fault}"
    return None


def _peak(process: int) -> int:
    """Bytes of memory that a process had at most; 0 where the system does not say."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _other_settings(chance: random.Random, settings: dict[str, Any]) -> dict[str, Any]:
    """Change one or two options, as a pack may declare them, or read the file as one of another format."""
    for _ in range(10):
        changed = dict(settings)
        for name in chance.sample([*(set(ReadOptions.model_fields) - VARIABLE), "format"], chance.choice([1, 1, 2])):
            changed[name] = {
                "format": chance.choice(sorted(MODULES)),
                "encoding": chance.choice(["utf-8", "cp1250", "utf-16", "utf-32-le", "iso-8859-2", "utf-7"]),
                "delimiter": chance.choice(list(",;\t| x\"'")), "quote": chance.choice(["", '"', "'", ";", "|"]),
                "decimal": chance.choice([".", ","]),
                "thousands": chance.choice([None, " ", "."]), "skip_rows": chance.choice([0, 1, 2, 3, 1000, 2**31]),
                "header_rows": chance.choice([0, 1, 2, 3, 50]), "names": chance.choice([None, ["a"], ["code", "value", "c", "d", "e"]]),
                "sheet": chance.choice([0, 1, 99, "S", "", "x"]),
                "records": chance.choice([None, "/", "/0", "/*", "/*/*", "/a", "/l/r", "/@a", "/~1"]),
                "keyed_by": chance.choice([None, "key", "code"]), "member": chance.choice([None, "a.csv", "data.csv", "xl/workbook.xml"]),
                "multiline": chance.choice([True, False]), "escape": chance.choice([None, "\\", "^"]),
            }[name]  # fmt: skip
        with suppress(ValueError):
            ReadOptions.model_validate(changed)
            return changed
    return settings


def _tests() -> list[Case]:
    """The small files of the hostile tests."""
    modules = (encodings, numbers, shapes, dates, keys, texts, archives, markup, books)
    cases = [case for module in modules for case in module.CASES if not case.big]
    return [Case(case.id, content, yaml.safe_load(case.read)) for case in cases if len(content := case.content()) <= MOST]


def _packs(mirror: Path | None) -> list[Case]:
    """Excerpts of the files of the packs: those in the pack, and those that the folder `mirror` has."""
    found: dict[bytes, Case] = {}
    for root in sorted((PROJECT / "packs").glob("*/pack.yml")):
        pack = packs.load(root.parent)
        for name in sorted(pack.sources):
            read = pack.sources[name].read
            for path, part in _files(pack, name, mirror):
                content = excerpt(path.read_bytes(), read.format)
                if content is not None:
                    settings = fill_all(read.model_dump(mode="json", exclude_unset=True), part)
                    found.setdefault(content[:2000], Case(f"{pack.id}-{name}", content, settings))
    return list(found.values())


def _files(pack: Pack, name: str, mirror: Path | None) -> Iterator[tuple[Path, Part]]:
    source = pack.sources[name]
    for part in pack.parts(source)[:MOST_PARTS]:
        with suppress(Zpo2Error, ValueError, OSError):
            url = address(source, part)
            path = pack.root / url if "://" not in url else local_files.mirrored(mirror, url, None).path if mirror is not None else None
            if path is not None and path.is_file():
                yield path, part
