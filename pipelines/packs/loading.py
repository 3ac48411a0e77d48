"""Load a pack: its YAML files as checked models, with every reference resolved. Errors name file, line and key; nothing is fetched here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines.core import yaml
from pipelines.core.yaml import Document, PackError, Path_
from pipelines.packs import references
from pipelines.packs.pack import Pack
from pipelines.packs.schema import MAPS, Block, CountedSource, FetchedSource, Index, Indicator, PackFile
from pipelines.readers.options import EVENT_FORMATS


def load(root: Path) -> Pack:
    """Return the pack in folder `root`. Raises PackError with one line for each fault."""
    if not (root / "pack.yml").is_file():
        raise PackError([f"pack.yml:1: no such file in {root}"])
    loader = _Loader(root)
    pack = loader.load()
    if loader.faults:
        raise PackError(loader.faults)
    return pack


class _Loader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[str] = []
        self.places: dict[str, tuple[Document, Path_]] = {}  # "source:x" -> where it stands

    def load(self) -> Pack:
        file = self._read("pack.yml")
        head = self._model(PackFile, file, ())
        sources: dict[str, FetchedSource] = {}
        counted: dict[str, CountedSource] = {}
        for document in self._folder("sources"):
            self._source(document, sources, counted)
        indicators = dict(self._listed("indicators", Indicator))
        indices = dict(self._listed("indices", Index))
        if self.faults or not isinstance(head, PackFile):
            raise PackError(self.faults)
        pack = Pack(self.root, head, sources, counted, indicators, indices)
        pack.locked = self._locked(pack)
        self.places["pack"] = (file, ())
        references.check(pack, self.fault)
        return pack

    def _read(self, name: str) -> Document:
        return yaml.load(self.root / name, name)

    def _folder(self, folder: str) -> Iterator[Document]:
        for path in sorted((self.root / folder).glob("*.y*ml")):
            try:
                yield self._read(f"{folder}/{path.name}")
            except PackError as error:
                self.faults += error.lines

    def _model(self, model: type[Block], document: Document, path: Path_, value: Any = None) -> Any:
        raw = document.value if value is None and not path else value
        if not isinstance(raw, dict):
            self.faults.append(document.fault(path, "a mapping of keys is due"))
            return None
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                where, text = _explain(item)
                self.faults.append(document.fault((*path, *where), text))
            return None

    def _source(self, document: Document, sources: dict[str, FetchedSource], counted: dict[str, CountedSource]) -> None:
        is_counted = isinstance(document.value, dict) and "from" in document.value
        model = self._model(CountedSource if is_counted else FetchedSource, document, ())
        if model is None:
            return
        stem = Path(document.name).stem
        if model.id != stem:
            self.faults.append(document.fault(("id",), f"{model.id}: must equal the file's name, {stem}"))
        if isinstance(model, FetchedSource):
            made_for_events = model.read.format in EVENT_FORMATS
            if model.map is None and not (made_for_events and model.into == "events"):
                self.faults.append(document.fault((), "map: missing"))
                return
            mapped = self._model(MAPS[model.into], document, ("map",), model.map if model.map is not None else {})
            if mapped is None:
                return
            if not model.columns and not made_for_events:
                self.faults.append(document.fault((), "columns: missing"))
            sources[model.id] = model.model_copy(update={"map": mapped})
        else:
            counted[model.id] = model
        self.places[f"source:{model.id}"] = (document, ())

    def _listed(self, folder: str, model: type[Block]) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for document in self._folder(folder):
            many = isinstance(document.value, list)
            for i, value in enumerate(document.value if many else [document.value]):
                path: Path_ = (i,) if many else ()
                item = self._model(model, document, path, value if value is not None else {})
                if item is None:
                    continue
                if item.id in seen:
                    self.faults.append(document.fault((*path, "id"), f"{item.id}: declared twice"))
                seen.add(item.id)
                self.places[f"{folder}:{item.id}"] = (document, path)
                yield item.id, item

    def _locked(self, pack: Pack) -> dict[tuple[str, str], dict[str, Any]]:
        path = self.root / "snapshots.lock"
        if not path.is_file():
            return {}
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            return {(e["source"], e["part"]): e for e in entries}
        except (ValueError, KeyError, TypeError) as error:
            self.faults.append(f"snapshots.lock:1: not a list of pinned snapshots: {error}")
            return {}

    def fault(self, place: str, path: Path_, message: str) -> None:
        document, prefix = self.places[place]
        self.faults.append(document.fault((*prefix, *path), message))


def _explain(item: Any) -> tuple[Path_, str]:
    """Return the place and the words for one error of pydantic."""
    path = tuple(p for p in item["loc"] if not (isinstance(p, str) and (p.startswith("function-") or p in ("float", "str", "int"))))
    if item["type"] == "extra_forbidden":
        return path, "unknown key"
    if item["type"] == "missing":
        return path, "missing"
    if path and path[-1] == "[key]":
        return path[:-1], f"not a valid name: {item['msg']}"
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    found = item.get("input")
    shown = f" (found {found!r})" if isinstance(found, str | int | float | bool) else ""
    return path, message[:1].lower() + message[1:] + shown
