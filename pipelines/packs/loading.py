"""Loads a pack: validates its YAML files and checks the references between them. Errors name file, line and key."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines.core import yaml
from pipelines.core.printable import shortened
from pipelines.core.yaml import Document, KeyPath, PackError
from pipelines.packs.pack import Pack
from pipelines.packs.references import check_files, check_references
from pipelines.packs.schema import MAPS, Block, CountedSource, FetchedSource, Index, Indicator, PackFile
from pipelines.readers.options import EVENT_FORMATS

MAX_FILES, MAX_BYTES, MAX_VALUES = 2_000, 50_000_000, 500_000
"""Files of declarations in a folder, and bytes and values in all of them. The largest pack has some hundreds of files."""
MAX_LOCK_BYTES = 10_000_000
_SHA256 = re.compile("[0-9a-f]{64}")
MAX_SHOWN = 200
"""Characters of a wrong value that an error shows."""


def load(root: Path, *, with_files: bool = False) -> Pack:
    """Return the pack in the folder `root`. Raises PackError with one line for each fault, `with_files` also for each missing file."""
    if not (root / "pack.yml").is_file():
        raise PackError([f"pack.yml:1: no such file in {root}"])
    loader = Loader(root)
    pack = loader.load()
    if with_files:
        check_files(pack, loader.report)
    if loader.faults:
        raise PackError(loader.faults)
    return pack


class Loader:
    """Reads the files of a pack one by one. `faults` are the lines for what is wrong, `blocks` the places of the blocks, by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[str] = []
        self.blocks: dict[str, tuple[Document, KeyPath]] = {}  # by name, such as "source:people"
        self._bytes = self._values = 0

    def load(self) -> Pack:
        head = self.head()
        sources: dict[str, FetchedSource] = {}
        counted: dict[str, CountedSource] = {}
        for document in self.folder("sources"):
            self.source(document, sources, counted)
        indicators = dict(self._listed("indicators", Indicator))
        indices = dict(self._listed("indices", Index))
        if self.faults or not isinstance(head, PackFile):
            raise PackError(self.faults)
        pack = Pack(self.root, head, sources, counted, indicators, indices)
        pack.locked = self._locked()
        check_references(pack, self.report)
        return pack

    def head(self) -> PackFile | None:
        """Return the block of `pack.yml`."""
        document = self.document("pack.yml")
        self.blocks["pack"] = (document, ())
        head: PackFile | None = self.model(PackFile, document, ())
        return head

    def document(self, name: str) -> Document:
        """Return the document of a file of the pack. Raises PackError."""
        path = self.root / name
        if path.is_file():
            if not path.resolve().is_relative_to(self.root.resolve()):
                raise PackError([f"{name}:1: cannot be read: it leads out of the pack"])
            self._bytes += path.stat().st_size
        if self._bytes > MAX_BYTES:
            raise PackError([*self.faults, f"{name}:1: cannot be read: the files of the pack have more than {MAX_BYTES} bytes"])
        document = yaml.load(path, name)
        self._values += document.size
        if self._values > MAX_VALUES:
            raise PackError([*self.faults, f"{name}:1: cannot be read: the files of the pack have more than {MAX_VALUES} values"])
        return document

    def folder(self, folder: str) -> Iterator[Document]:
        paths = sorted(itertools.islice((self.root / folder).glob("*.y*ml"), MAX_FILES + 1))
        if len(paths) > MAX_FILES:
            raise PackError([f"pack.yml:1: the folder {folder} has more than {MAX_FILES} files"])
        for path in paths:
            try:
                yield self.document(f"{folder}/{path.name}")
            except PackError as error:
                self.faults += error.lines

    def model(self, model: type[Block], document: Document, path: KeyPath, value: Any = None) -> Any:
        raw = document.value if value is None and not path else value
        if not isinstance(raw, dict):
            self.faults.append(document.fault(path, "expected a mapping of keys"))
            return None
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                key, message = _explain(item)
                self.faults.append(document.fault((*path, *key), message))
            return None

    def source(self, document: Document, sources: dict[str, FetchedSource], counted: dict[str, CountedSource]) -> None:
        is_counted = isinstance(document.value, dict) and "from" in document.value
        model = self.model(CountedSource if is_counted else FetchedSource, document, ())
        if model is None:
            return
        stem = Path(document.name).stem
        if model.id != stem:
            self.faults.append(document.fault(("id",), f"{model.id}: must be the name of the file, {stem}"))
        if model.id in sources or model.id in counted:
            self.faults.append(document.fault(("id",), f"{model.id}: is declared twice"))
        if isinstance(model, FetchedSource):
            is_event_format = model.read.format in EVENT_FORMATS
            if model.map is None and not (is_event_format and model.into == "events"):
                self.faults.append(document.fault((), "map: missing"))
                return
            mapped = self.model(MAPS[model.into], document, ("map",), model.map if model.map is not None else {})
            if mapped is None:
                return
            if not model.columns and not is_event_format:
                self.faults.append(document.fault((), "columns: missing"))
            sources[model.id] = model.model_copy(update={"map": mapped})
        else:
            counted[model.id] = model
        self.blocks[f"source:{model.id}"] = (document, ())

    def _listed(self, folder: str, model: type[Block]) -> Iterator[tuple[str, Any]]:
        ids: set[str] = set()
        for document in self.folder(folder):
            many = isinstance(document.value, list)
            for i, value in enumerate(document.value if many else [document.value]):
                path: KeyPath = (i,) if many else ()
                item = self.model(model, document, path, value if value is not None else {})
                if item is None:
                    continue
                if item.id in ids:
                    self.faults.append(document.fault((*path, "id"), f"{item.id}: is declared twice"))
                ids.add(item.id)
                self.blocks[f"{folder}:{item.id}"] = (document, path)
                yield item.id, item

    def _locked(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the pinned snapshots by source and part."""
        path, entries = self.root / "snapshots.lock", []
        if not os.path.lexists(path):
            return {}
        try:
            if not path.is_file():
                raise ValueError("not a file")
            if path.stat().st_size > MAX_LOCK_BYTES:
                raise ValueError(f"more than {MAX_LOCK_BYTES} bytes")
            entries = json.loads(path.read_text(encoding="utf-8"))
            locked = {(entry["source"], entry["part"]): entry for entry in entries if _SHA256.fullmatch(entry["sha256"])}
            if len(locked) < len(entries):
                raise ValueError("two entries are for one part, or an entry has no SHA-256 in hexadecimal digits")
            return locked
        except RecursionError:
            self.faults.append("snapshots.lock:1: not a list of pinned snapshots: too many lists inside each other")
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.faults.append(f"snapshots.lock:1: not a list of pinned snapshots: {error}")
        return {}

    def report(self, block: str, path: KeyPath, message: str) -> None:
        document, prefix = self.blocks[block]
        self.faults.append(document.fault((*prefix, *path), message))


def _explain(item: Any) -> tuple[KeyPath, str]:
    """Return the key path and the message of one error of pydantic."""
    path = tuple(p for p in item["loc"] if not (isinstance(p, str) and (p.startswith("function-") or p in ("float", "str", "int"))))
    if item["type"] == "extra_forbidden":
        return path, "unknown key"
    if item["type"] == "missing":
        return path, "missing"
    if path and path[-1] == "[key]":
        return path[:-1], f"not a valid name: {item['msg']}"
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    value = item.get("input")
    shown = f" (found {shortened(repr(value), MAX_SHOWN)})" if isinstance(value, str | int | float | bool) else ""
    return path, message[:1].lower() + message[1:] + shown
