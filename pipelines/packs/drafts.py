"""Loads one source of a pack that is not finished: `fetch` and `read` must be right, all else may still have faults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.core.errors import UsageError
from pipelines.core.yaml import Document, KeyPath, PackError
from pipelines.packs.loading import Loader
from pipelines.packs.pack import Pack
from pipelines.packs.references import check_references
from pipelines.packs.schema import CountedSource, FetchedSource, PackFile

_STAND_INS = {"publisher": "not given", "licence": "NOASSERTION", "theme": "municipal", "into": "observations"}


@dataclass(frozen=True)
class Draft:
    """A source, the pack with the sources that load, and the faults of this source's file. `is_complete`: contract and map can be used."""

    pack: Pack
    source: FetchedSource
    faults: tuple[str, ...]
    is_complete: bool


def load_draft(root: Path, name: str) -> Draft:
    """Return the source `name` of the pack in `root`. Raises PackError where `pack.yml`, `fetch` or `read` is wrong, UsageError without the file."""
    loader = Loader(root)
    head = loader.head()
    if not isinstance(head, PackFile):
        raise PackError(loader.faults)
    sources: dict[str, FetchedSource] = {}
    counted: dict[str, CountedSource] = {}
    documents = {Path(document.name).stem: document for document in loader.folder("sources")}
    if name not in documents:
        own = [line for line in loader.faults if line.startswith((f"sources/{name}.yml:", f"sources/{name}.yaml:"))]
        if own:
            raise PackError(own)
        raise UsageError(f"{name}: no such source in {head.id}; its sources are {', '.join(sorted(documents)) or '(none)'}")
    for document in documents.values():
        loader.source(document, sources, counted)
    prefix = f"{documents[name].name}:"
    if name in counted or (isinstance(documents[name].value, dict) and "from" in documents[name].value):
        raise UsageError(f"{name}: it counts rows of other sources and reads no file; preview one of those")
    source, is_complete = sources.get(name), True
    if source is None:
        source, is_complete = _reader_only(loader, documents[name], name), False
    pack = Pack(root, head, {**sources, name: source}, {}, {}, {})
    if is_complete:
        reported: list[str] = []
        needed: list[str] = []

        def report(block: str, path: KeyPath, message: str) -> None:
            if block == f"source:{name}":
                reported.append(documents[name].fault(path, message))
                if path[:1] in (("fetch",), ("read",)):
                    needed.append(reported[-1])

        check_references(pack, report)
        if needed:
            raise PackError(needed)
        loader.faults += reported
        is_complete = not reported
    return Draft(pack, source, tuple(line for line in loader.faults if line.startswith(prefix)), is_complete)


def _reader_only(loader: Loader, document: Document, name: str) -> FetchedSource:
    """Return the source with its `fetch` and `read` alone. Raises PackError with the faults of these blocks."""
    given = document.value if isinstance(document.value, dict) else {}
    before = len(loader.faults)
    blocks = {key: given[key] for key in ("fetch", "read") if key in given}
    source = loader.model(FetchedSource, document, (), {**_STAND_INS, "id": name, "title": name, **blocks})
    if not isinstance(source, FetchedSource):
        raise PackError(list(dict.fromkeys(loader.faults[before:])))
    return source
