"""Turn pages: ask until the last one, and put all of them into one file. Knows no protocol, only where a page says what follows.

The pages of an answer are one JSON list, each page's bytes as they came. Whatever breaks off leaves nothing: the next run starts over.
"""

from __future__ import annotations

import copy
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from pipelines.core import json_pointer
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchError, Received
from pipelines.packs.schema import Paging

Document = Any


class Ask(Protocol):
    """Ask an address on behalf of one source."""

    def __call__(
        self, url: str, params: Mapping[str, str] | None = None, body: Any = None, known: Mapping[str, str] | None = None
    ) -> Received: ...


def at(document: Document, pointer: str | None) -> Any:
    """Return the value at a JSON pointer in `document`, None where there is none."""
    try:
        return json_pointer.resolve(document, pointer or "")
    except LookupError:
        return None


def load(received: Received, url: str) -> Document:
    """Return a received JSON document. Raises FetchError where it is none."""
    assert received.path is not None
    try:
        return json.loads(received.path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FetchError(f"{url}: not JSON: {error}") from None


def fetch_pages(
    ask: Ask,
    url: str,
    params: Mapping[str, str],
    body: Any,
    paging: Paging,
    *,
    records: str | None,
    folder: Path,
    limits: Limits,
    due: int | None = None,
) -> Received:
    """Return all pages as one file. `due` is the number of records, where it is known beforehand.

    Raises FetchError when a page repeats, when pages do not end, or when they hold fewer records than were announced.
    """
    turner = _Turner(url, dict(params), body, paging)
    book = _Book(folder, limits, url)
    while True:
        received = ask(turner.url, turner.params, turner.body)
        page = load(received, turner.url)
        found = at(page, paging.records if paging.records is not None else records)
        if not isinstance(found, list):
            raise FetchError(
                f"{turner.url}: page {book.pages + 1}: no list of records at {paging.records or records or '/'}{_own_words(page)}"
            )
        book.add(received, len(found))
        total = at(page, paging.total) if paging.total else None
        due = int(total) if isinstance(total, int | float) or (isinstance(total, str) and total.isdecimal()) else due
        if not _follows(page, received, paging, book, len(found), due) or not turner.turn(page, received, len(found)):
            break
    if due is not None and book.records != due:
        raise FetchError(f"{url}: {book.pages} pages hold {book.records} records, {due} were announced")
    return book.close()


def _follows(page: Document, received: Received, paging: Paging, book: _Book, found: int, due: int | None) -> bool:
    if paging.more is not None:
        return at(page, paging.more) is True
    if paging.kind in ("cursor", "link"):
        return True  # the turner knows whether a next one is named
    if due is not None:
        return book.records < due and found > 0
    return found > 0 and found >= book.first  # a page that is shorter than the first is the last one


def _own_words(page: Document) -> str:
    """Return what a page that holds no records says of the reason."""
    for pointer in ("/errors/0/message", "/error/message", "/error", "/message", "/popis"):
        text = at(page, pointer)
        if isinstance(text, str):
            return f": {' '.join(text.split())[:300]}"
    return ""


class _Turner:
    """Where the next page is."""

    def __init__(self, url: str, params: dict[str, str], body: Any, paging: Paging) -> None:
        self.url, self.params, self.body, self.paging = url, params, copy.deepcopy(body), paging
        self.number = paging.first if paging.first is not None else (1 if paging.kind == "page" else 0)
        self.seen: set[str] = set()
        if paging.size is not None:
            self._set(paging.size_param, paging.size)
        if paging.kind in ("page", "offset"):
            self._set(paging.param, self.number)

    def _set(self, place: str | None, value: Any) -> None:
        assert place is not None
        if not place.startswith("/"):
            self.params[place] = str(value)
            return
        *steps, last = json_pointer.steps(place)
        target = self.body if isinstance(self.body, dict) else {}
        self.body = target
        for step in steps:
            target = target.setdefault(step, {})
        target[last] = value

    def turn(self, page: Document, received: Received, found: int) -> bool:
        """Go to the next page; False where there is none."""
        paging = self.paging
        if paging.kind in ("page", "offset"):
            self.number += 1 if paging.kind == "page" else found
            self._set(paging.param, self.number)
            return found > 0
        following = at(page, paging.next) if paging.next else received.next_link
        if following in (None, "", False):
            return False
        mark = json.dumps(following, sort_keys=True)
        if mark in self.seen:
            raise FetchError(f"{self.url}: the next page is one that was there before: {mark[:200]}")
        self.seen.add(mark)
        if paging.kind == "cursor":
            self._set(paging.param, following)
            return True
        address = urljoin(self.url, str(following))
        if urlsplit(address)[:2] != urlsplit(self.url)[:2]:
            raise FetchError(f"{self.url}: the next page is on another host, {urlsplit(address).netloc}")
        self.url, self.params = address, {}  # the address carries its own query
        return True


class _Book:
    """The pages so far."""

    def __init__(self, folder: Path, limits: Limits, url: str) -> None:
        self.limits, self.url = limits, url
        self.pages = self.records = self.first = self.size = 0
        self.last = ""
        self.digest = hashlib.sha256()
        self.file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 - closed by close()

    def add(self, received: Received, found: int) -> None:
        if found and received.sha256 == self.last:
            raise FetchError(f"{self.url}: page {self.pages + 1} is the same as the one before: the server does not turn pages")
        if self.pages >= self.limits.max_pages or self.size > self.limits.max_bytes:
            raise FetchError(f"{self.url}: more than {self.limits.max_pages} pages or {self.limits.max_bytes} bytes")
        assert received.path is not None
        self._write((b"[" if not self.pages else b",\n") + received.path.read_bytes().strip())
        received.path.unlink(missing_ok=True)
        self.first = self.first or found
        self.pages, self.records, self.last = self.pages + 1, self.records + found, received.sha256

    def _write(self, block: bytes) -> None:
        self.digest.update(block)
        self.size += len(block)
        self.file.write(block)

    def close(self) -> Received:
        self._write(b"]\n")
        self.file.close()
        return Received(Path(self.file.name), self.digest.hexdigest(), self.size, self.url, "application/json")
