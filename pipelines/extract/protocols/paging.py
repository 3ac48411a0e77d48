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

from pipelines.core.json_pointer import at
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError
from pipelines.packs.schema import Paging

_DEFAULT_PORTS = {"http": 80, "https": 443}
Document = Any
_TOTAL = re.compile("[0-9]{1,18}")


class HttpGet(Protocol):
    """Fetches an address on behalf of one source; a `body` is posted as JSON."""

    def __call__(
        self, url: str, params: Mapping[str, str] | None = None, body: Any = None, last_headers: Mapping[str, str] | None = None
    ) -> Download: ...


def load(download: Download, url: str, limits: Limits) -> Document:
    """Return a downloaded JSON document. Raises FetchError where it is not JSON, too large to be read into memory, or nested too deeply."""
    assert download.path is not None
    if download.size > limits.max_document:
        raise FetchError(f"{url}: {download.size} bytes; the limit of a page or a catalogue is {limits.max_document} bytes")
    content = download.path.read_bytes()
    if sum(content.count(sign) for sign in (b",", b"[", b"{")) > limits.max_values:
        raise FetchError(f"{url}: more than {limits.max_values} values in one page or catalogue")
    try:
        return json.loads(content)
    except RecursionError:
        raise FetchError(f"{url}: not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise FetchError(f"{url}: not JSON: {error}") from None


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
    overlaps = _Overlaps()
    next_request = _PageRequest(url, dict(params), body, paging)
    writer = _PageWriter(folder, limits, url)
    pointer = paging.records if paging.records is not None else records
    while True:
        download = get(next_request.url, next_request.params, next_request.body)
        page = load(download, next_request.url, limits)
        rows = at(page, pointer)
        if not isinstance(rows, list):
            raise FetchError(f"{next_request.url}: page {writer.pages + 1}: no list of records at {pointer or '/'}{_server_message(page)}")
        if overlaps.repeats_last_page(rows):
            if paging.repeated_page == "end":
                break
            if len(set(map(_key_of, rows))) == len(rows):
                page_name = f"page {writer.pages + 1} has the same records as the page before"
                raise FetchError(
                    f"{url}: {page_name}; the server ignores the paging parameters, or repeats its last page (paging.repeated_page: end)"
                )
        overlaps.add(rows)
        writer.add(download, len(rows))
        if writer.records > limits.max_records:
            raise FetchError(f"{url}: more than {limits.max_records} records in pages")
        if paging.total is not None and (total := at(page, paging.total)) is not None:
            expected = _total(total, next_request.url)
        if not _has_next(page, paging, writer, len(rows), expected) or not next_request.advance(page, download, len(rows)):
            break
    if overlaps.found and paging.repeated_records == "refuse":
        raise FetchError(f"{url}: {overlaps.found} (paging.repeated_records: accept, if equal records are no fault)")
    if expected is not None and writer.records != expected:
        raise FetchError(f"{url}: {writer.pages} pages hold {writer.records} records, but the server announced {expected}")
    return writer.close()


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
    text = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
    if isinstance(value, bool) or not _TOTAL.fullmatch(text.strip()):
        raise FetchError(f"{url}: the server announces {json.dumps(value)[:50]} records; expected a whole number")
    return int(text)


def _server_message(page: Document) -> str:
    """Return the error message in a page that holds no records."""
    for pointer in ("/errors/0/message", "/error/message", "/error", "/message", "/popis"):
        text = at(page, pointer)
        if isinstance(text, str):
            return f": {' '.join(text.split())[:300]}"
    return ""


def linked_address(base: str, link: Any) -> str:
    """Return the address that the document at `base` names as `link`. Raises FetchError where it is no address."""
    try:
        if not isinstance(link, str):
            raise ValueError("expected a text")
        address = urljoin(base, link)
        _ = urlsplit(address).port  # a port that is no number raises ValueError, too
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
        key = json.dumps(following, sort_keys=True)
        if key in self.seen:
            raise FetchError(f"{self.url}: the next page was already fetched: {key[:200]}")
        self.seen.add(key)
        if paging.kind == "cursor":
            self._set(paging.param, following)
            return True
        self.url, self.params = _on_same_host(self.url, linked_address(self.url, following)), {}  # the address has its own query
        return True


class _Overlaps:
    """Notices records that stand on two pages: somebody changed the data between two requests, or the server's order is not stable.

    Data in which equal records stand on one page are data in which they are no fault.
    """

    def __init__(self) -> None:
        self._earlier: set[int] = set()
        self._last: list[int] = []
        self._pages = 0
        self._overlap = ""
        self._repeats_within_page = False

    @property
    def found(self) -> str:
        """What is wrong, in words; empty where nothing is."""
        return "" if self._repeats_within_page else self._overlap

    def repeats_last_page(self, rows: list[Any]) -> bool:
        """Whether a page has the same records as the page before."""
        return bool(rows) and [_key_of(row) for row in rows] == self._last

    def add(self, rows: list[Any]) -> None:
        """Compare one more page with the earlier ones."""
        self._pages += 1
        keys = [_key_of(row) for row in rows]
        repeated = len(self._earlier.intersection(keys))
        if repeated and not self._overlap:
            self._overlap = (
                f"page {self._pages} has {repeated} records that an earlier page has, too; the pages shifted while they were fetched"
            )
        self._repeats_within_page |= len(set(keys)) < len(keys)
        self._earlier.update(keys)
        self._last = keys


def _key_of(record: Any) -> int:
    """Return a number that equal records have in common."""
    return int.from_bytes(hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=8).digest(), "big")


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
