"""One question to a source, with all that is needed to ask it, and the choice of one file out of a catalogue. Knows no interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchError, Received, Request, filled
from pipelines.extract.protocols.paging import Ask, fetch_pages
from pipelines.packs.schema import Paging

Catalogue = Callable[[str, Mapping[str, str] | None], Any]
CHANGED = "item-changed"  # a header of our own: the catalogue's word for when a file last changed


class Question:
    """One request, with all that is needed to ask it."""

    def __init__(self, request: Request, ask: Ask, catalogue: Catalogue, known: dict[str, str], folder: Path, limits: Limits) -> None:
        self.url, self.fetch, self.ask, self.catalogue = request.url, request.source.fetch, ask, catalogue
        self.known, self.folder, self.limits = known, folder, limits
        self.records = request.source.read.records
        self.params = {name: filled(text, request.part) for name, text in self.fetch.params.items()}
        self.body = _filled(self.fetch.body, request)

    def pages(self, url: str, params: dict[str, str], paging: Paging, due: int | None = None, body: Any = None) -> Received:
        return fetch_pages(
            self.ask, url, params, body, paging, records=self.records, folder=self.folder, limits=self.limits, due=due
        )  # fmt: skip

    def item(self, url: Any, changed: Any) -> Received:
        """Fetch the file that a catalogue names, unless its own word is that it has not changed."""
        if not isinstance(url, str) or not url:
            raise FetchError(f"{self.url}: the catalogue gives no address of the file")
        address = urljoin(self.url, url)
        if urlsplit(address).scheme not in ("http", "https"):
            raise FetchError(f"{self.url}: the catalogue names {address[:200]}; only http and https are fetched")
        stamp = str(changed) if changed else ""
        if stamp and self.known.get(CHANGED) == stamp:
            return Received(None, final_url=address)
        received = self.ask(address, known=self.known)
        return received if received.path is None else replace(received, headers={**received.headers, **({CHANGED: stamp} if stamp else {})})


def _filled(value: Any, request: Request) -> Any:
    if isinstance(value, str):
        return filled(value, request.part)
    if isinstance(value, dict):
        return {key: _filled(item, request) for key, item in value.items()}
    return [_filled(item, request) for item in value] if isinstance(value, list) else value


def choose(question: Question, items: list[Any], keys: tuple[str, ...], wanted: str | None = None) -> dict[str, Any]:
    """Return the one item that `resource` names by one of `keys`; an IRI is known by its last part."""
    wanted = wanted if wanted is not None else question.fetch.resource
    known = [item for item in items if isinstance(item, dict)]
    if wanted is None and len(known) == 1:
        return known[0]
    for key in keys:
        hits = [item for item in known if _is_named(_in_words(item.get(key)), wanted)]
        if len(hits) == 1:
            return hits[0]
    named = ", ".join(dict.fromkeys(str(_in_words(item.get(key))) for item in known for key in keys[:2] if item.get(key))) or "nothing"
    asked = f"{wanted} is not there, or several are" if wanted else "there are several files; name one as `resource`"
    raise FetchError(f"{question.url}: {asked}: {named[:500]}")


def _in_words(value: Any) -> str:
    if isinstance(value, dict):  # texts by language
        value = next(iter(value.values()), "")
    return str(value or "")


def _is_named(found: str, wanted: str | None) -> bool:
    return wanted is not None and found != "" and wanted.lower() in (found.lower(), found.lower().rstrip("/").rsplit("/", 1)[-1])
