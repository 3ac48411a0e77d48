"""Whether fetched bytes may become a snapshot: not empty, no web page in place of data, pinned content, size against the last one.

What the rows say is the business of readers and contracts.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.extract.http.request import Received
from pipelines.packs.schema import FetchedSource

_MARKUP = {"schema-org-events", "xml"}  # formats that may look like a web page
_PAGES = (b"<!doctype html", b"<html")


class RefusedError(Exception):
    """The bytes are not what was declared; the message says how."""


def judge(received: Received, url: str, source: FetchedSource, locked: str | None, last_size: int | None) -> None:
    """Raise RefusedError with the reason, unless what was received is what the source declares.

    `locked` is the content that `snapshots.lock` pins, `last_size` the bytes of the last snapshot.
    """
    expect = source.fetch.expect
    size = received.size
    due = {digest for digest in (expect.sha256 if expect else None, locked) if digest}
    if due and due != {received.sha256}:
        raise RefusedError(f"{url}: content differs from the pinned one: sha256 {received.sha256}, due {' and '.join(sorted(due))}")
    if expect and expect.min_bytes is not None and size < expect.min_bytes:
        raise RefusedError(f"{url}: {size} bytes, at least {expect.min_bytes} are due")
    if size == 0:
        raise RefusedError(f"{url}: empty")
    wanted = expect is not None and (expect.media_type or "").lower() == "text/html"
    if source.read.format not in _MARKUP and not wanted and (received.media_type == "text/html" or _is_web_page(received.path)):
        raise RefusedError(f"{url}: a web page in place of data")
    if expect and expect.size_change is not None and last_size and abs(size - last_size) > expect.size_change * last_size:
        raise RefusedError(f"{url}: {size} bytes after {last_size}, more than {expect.size_change:.0%} of change")


def _is_web_page(content: Path | None) -> bool:
    assert content is not None
    with content.open("rb") as file:
        head = file.read(1024)
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES)
