"""Fetch all pages of a response and join them into one file. Knows no protocol, only where a page says what follows.

The file is one JSON list with the bytes of each page as they came. A fetch that fails half-way leaves nothing: the next run starts over.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

from pipelines.core.addresses import split_address
from pipelines.core.json_pointer import at
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError
from pipelines.extract.protocols.reading import Document, brief, loaded
from pipelines.packs.schema import Paging

_DEFAULT_PORTS = {"http": 80, "https": 443}
_TOTAL = re.compile("[0-9]{1,18}")


class HttpGet(Protocol):
    """Fetches an address on behalf of one source; a `body` is posted as JSON."""

    def __call__(
        self, url: str, params: Mapping[str, str] | None = None, body: Any = None, last_headers: Mapping[str, str] | None = None
    ) -> Download: ...


def fetch_pages(
    get: HttpGet,
    url: str,
    params: Mapping[str, str],
    body: Any,
    paging: Paging,
    *,
    records: str | None,
    folder: Path,
    limits: Limits,
    expected: int | None = None,
) -> Download:
    """Return all pages as one file. `expected` is the number of records, where it is known beforehand.

    Raises FetchError when a page repeats, when pages overlap, when they do not end, or when they hold fewer records than the server announced.
    """
    first, writer = _PageRequest(url, dict(params), body, paging, limits), _PageWriter(folder, limits, url)
    pages = _Pages(first, writer, paging.records if paging.records is not None else records, expected)
    while pages.take(get(pages.next.url, pages.next.params, pages.next.body)):
        pass
    return pages.close()


class _Pages:
    """The pages so far, and the request for the next one. Keeps no page in memory."""

    def __init__(self, first: _PageRequest, writer: _PageWriter, pointer: str | None, expected: int | None) -> None:
        self.next, self.writer, self.pointer, self.expected = first, writer, pointer, expected
        self.url, self.paging, self.limits = first.url, first.paging, first.limits
        self.overlaps = _Overlaps()

    def take(self, download: Download) -> bool:
        """Take the next page; return whether another one follows. Raises FetchError."""
        with loaded(download, self.next.url, self.limits) as page:
            return self._take(page, download)

    def _take(self, page: Document, download: Download) -> bool:
        paging, writer = self.paging, self.writer
        rows = at(page, self.pointer)
        if not isinstance(rows, list):
            place = f"page {writer.pages + 1}: no list of records at {self.pointer or '/'}"
            raise FetchError(f"{self.next.url}: {place}{_server_message(page)}")
        if writer.records + len(rows) > self.limits.max_records:
            raise FetchError(f"{self.url}: more than {self.limits.max_records} records in pages")
        if self.overlaps.repeats_last_page(rows):
            if paging.repeated_page == "end":
                return False
            if self.overlaps.are_distinct:
                page_name = f"page {writer.pages + 1} has the same records as the page before"
                raise FetchError(
                    f"{self.url}: {page_name}; the server ignores the paging parameters, or repeats its last page (paging.repeated_page: end)"
                )
        self.overlaps.add()
        writer.add(download, len(rows))
        if paging.total is not None and (total := at(page, paging.total)) is not None:
            self.expected = _total(total, self.next.url)
        return _has_next(page, paging, writer, len(rows), self.expected) and self.next.advance(page, download, len(rows))

    def close(self) -> Download:
        """Finish the file and return it. Raises FetchError where records stand on two pages, or are missing."""
        if self.overlaps.found and self.paging.repeated_records == "refuse":
            raise FetchError(f"{self.url}: {self.overlaps.found} (paging.repeated_records: accept, if equal records are no fault)")
        pages, records = self.writer.pages, self.writer.records
        if self.expected is not None and records != self.expected:
            raise FetchError(f"{self.url}: {pages} pages hold {records} records, but the server announced {self.expected}")
        return self.writer.close()


def _has_next(page: Document, paging: Paging, writer: _PageWriter, rows: int, expected: int | None) -> bool:
    if paging.more is not None:
        return at(page, paging.more) is True
    if paging.kind in ("cursor", "link"):
        return True  # `advance` sees whether the page names a next one
    if expected is not None:
        return writer.records < expected and rows > 0
    return rows > 0 and rows >= writer.first_rows  # a page that is shorter than the first is the last one


def _total(value: Any, url: str) -> int:
    """Return the number of records that a page announces. Raises FetchError where it is no whole number."""
    text = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else brief(value)
    if isinstance(value, bool) or not _TOTAL.fullmatch(text.strip()):
        shown = brief(value)[:50] or f"a {type(value).__name__} of"
        raise FetchError(f"{url}: the server announces {shown} records; expected a whole number")
    return int(text)


def _server_message(page: Document) -> str:
    """Return the error message in a page that holds no records."""
    for pointer in ("/errors/0/message", "/error/message", "/error", "/message", "/popis"):
        text = at(page, pointer)
        if isinstance(text, str):
            return f": {brief(text)}"
    return ""


def linked_address(base: str, link: Any, limits: Limits) -> str:
    """Return the address that the document at `base` names as `link`. Raises FetchError where it is no address, or too long a one."""
    if isinstance(link, str) and len(link) > limits.max_address:
        raise FetchError(f"{base}: names an address that is longer than {limits.max_address} characters")
    try:
        if not isinstance(link, str):
            raise ValueError("expected a text")
        address = urljoin(base, link)
        split_address(address)
    except ValueError as error:
        raise FetchError(f"{base}: leads to an invalid address, {json.dumps(link)[:200]}: {error}") from None
    return address


def _on_same_host(asked: str, link: str) -> str:
    """Return the address of the next page on the host that was asked, with its scheme and port. Raises FetchError for another host or port.

    Programs behind a proxy often know neither, and link to `http` without a port.
    """
    old, new = urlsplit(asked), urlsplit(link)
    if new.scheme not in _DEFAULT_PORTS or new.hostname != old.hostname:
        raise FetchError(f"{asked}: the next page is on another host, {new.scheme}://{new.hostname}")
    if new.port not in (None, old.port, _DEFAULT_PORTS[new.scheme]):
        raise FetchError(f"{asked}: the next page is on another port of the host, {new.scheme}://{new.hostname}:{new.port}")
    return urlunsplit((old.scheme, old.netloc, new.path, new.query, new.fragment))


class _PageRequest:
    """The request for the next page."""

    def __init__(self, url: str, params: dict[str, str], body: Any, paging: Paging, limits: Limits) -> None:
        self.url, self.params, self.body, self.paging, self.limits = url, params, copy.deepcopy(body), paging, limits
        self.number = paging.first if paging.first is not None else (1 if paging.kind == "page" else 0)
        self.seen: set[bytes] = set()
        if paging.size is not None:
            self._set(paging.size_param, paging.size)
        if paging.kind in ("page", "offset"):
            self._set(paging.param, self.number)

    def _set(self, place: str | None, value: Any) -> None:
        assert place is not None
        if not place.startswith("/"):
            self.params[place] = str(value)
            return
        *steps, last = place.split("/")[1:]
        target = self.body if isinstance(self.body, dict) else {}
        self.body = target
        for step in steps:
            target = target.setdefault(step, {})
        target[last] = value

    def advance(self, page: Document, download: Download, rows: int) -> bool:
        """Go to the page after `page`; return whether there is one. Raises FetchError."""
        paging = self.paging
        if paging.kind in ("page", "offset"):
            self.number += 1 if paging.kind == "page" else rows
            self._set(paging.param, self.number)
            return rows > 0
        following = at(page, paging.next) if paging.next else download.next_link
        if following in (None, "", False):
            return False
        text = following if isinstance(following, str) else json.dumps(following, sort_keys=True)
        if len(text) > self.limits.max_address:
            raise FetchError(f"{self.url}: names a next page that is longer than {self.limits.max_address} characters")
        key = _digest(json.dumps(text), 16)
        if key in self.seen:
            raise FetchError(f"{self.url}: the next page was already fetched: {text[:200]}")
        self.seen.add(key)
        if paging.kind == "cursor":
            self._set(paging.param, following)
            return True
        self.url, self.params = (
            _on_same_host(self.url, linked_address(self.url, following, self.limits)),
            {},
        )  # the address has its own query
        return True


class _Overlaps:
    """Notices records that stand on two pages: somebody changed the data between two requests, or the server's order is not stable.

    Data in which equal records stand on one page are data in which they are no fault.
    """

    def __init__(self) -> None:
        self._earlier: list[Any] = []  # sorted arrays of the keys of distinct records, the largest first
        self._keys: Any = None  # of the last page, in its order
        self._pages = 0
        self._overlap = ""
        self._repeats_within_page = False

    @property
    def found(self) -> str:
        """What is wrong, in words; empty where nothing is."""
        return "" if self._repeats_within_page else self._overlap

    @property
    def are_distinct(self) -> bool:
        """Whether no two records of the last page are equal."""
        return len(set(self._keys.tolist())) == len(self._keys)

    def repeats_last_page(self, rows: list[Any]) -> bool:
        """Read one more page; return whether it has the same records as the page before."""
        import numpy as np  # few processes fetch pages

        last, keys = self._keys, (int.from_bytes(_digest(json.dumps(row, sort_keys=True), 8), "big") for row in rows)
        self._keys = np.fromiter(keys, np.uint64, len(rows))
        return bool(rows) and last is not None and np.array_equal(self._keys, last)

    def add(self) -> None:
        """Compare the page that was read with the earlier ones."""
        import numpy as np

        self._pages += 1
        distinct = np.unique(self._keys)
        repeated = sum(int(np.count_nonzero(part[np.searchsorted(part[:-1], distinct)] == distinct)) for part in self._earlier)
        if repeated and not self._overlap:
            self._overlap = (
                f"page {self._pages} has {repeated} records that an earlier page has, too; the pages shifted while they were fetched"
            )
        self._repeats_within_page |= len(distinct) < len(self._keys)
        while self._earlier and len(self._earlier[-1]) <= len(distinct):
            distinct = np.union1d(self._earlier.pop(), distinct)
        if len(distinct):
            self._earlier.append(distinct)


def _digest(text: str, size: int) -> bytes:
    """Return bytes that equal texts have in common."""
    return hashlib.blake2b(text.encode(), digest_size=size).digest()


class _PageWriter:
    """Writes pages to one file, and counts them and their records."""

    def __init__(self, folder: Path, limits: Limits, url: str) -> None:
        self.limits, self.url = limits, url
        self.pages = self.records = self.first_rows = self.size = 0
        self.last_sha256 = ""
        self.digest = hashlib.sha256()
        self.file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 - closed by close()

    def add(self, download: Download, rows: int) -> None:
        """Write one more page. Raises FetchError where it repeats the last one, or where there are too many pages or bytes."""
        if rows and download.sha256 == self.last_sha256:
            raise FetchError(f"{self.url}: page {self.pages + 1} is the same as the page before; the server ignores the paging parameters")
        if self.pages >= self.limits.max_pages or self.size > self.limits.max_bytes:
            raise FetchError(f"{self.url}: more than {self.limits.max_pages} pages or {self.limits.max_bytes} bytes")
        assert download.path is not None
        self._write((b"[" if not self.pages else b",\n") + download.path.read_bytes().strip())
        download.path.unlink(missing_ok=True)
        self.first_rows = self.first_rows or rows
        self.pages, self.records, self.last_sha256 = self.pages + 1, self.records + rows, download.sha256

    def _write(self, block: bytes) -> None:
        self.digest.update(block)
        self.size += len(block)
        self.file.write(block)

    def close(self) -> Download:
        """Finish the file and return it."""
        self._write(b"]\n")
        self.file.close()
        return Download(Path(self.file.name), self.digest.hexdigest(), self.size, self.url, "application/json")
