"""Whether fetched bytes may become a snapshot: not empty, not a web page in place of data, the pinned content, a plausible size.

Readers and contracts check the rows.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.core.errors import Zpo2Error
from pipelines.extract.http.request import Download
from pipelines.packs.schema import FetchedSource

_MARKUP_FORMATS = {"schema-org-events", "xml"}  # these may look like a web page
_WEB_PAGES = (b"<!doctype html", b"<html")


class SnapshotRejected(Zpo2Error):
    """The bytes are not what the source declares; the message says how they differ."""


def validate_snapshot(download: Download, url: str, source: FetchedSource, locked: str | None, last_size: int | None) -> None:
    """Raise SnapshotRejected unless the downloaded bytes are what the source declares.

    `locked` is the checksum that `snapshots.lock` pins, `last_size` the size of the last snapshot in bytes.
    """
    expect = source.fetch.expect
    size = download.size
    pinned = {digest for digest in (expect.sha256 if expect else None, locked) if digest}
    if pinned and pinned != {download.sha256}:
        expected = " and ".join(sorted(pinned))
        raise SnapshotRejected(f"{url}: the content differs from the pinned content: expected sha256 {expected}, got {download.sha256}")
    if expect and expect.min_bytes is not None and size < expect.min_bytes:
        raise SnapshotRejected(f"{url}: expected at least {expect.min_bytes} bytes, got {size}")
    if size == 0:
        raise SnapshotRejected(f"{url}: empty")
    expects_html = expect is not None and (expect.media_type or "").lower() == "text/html"
    may_be_markup = source.read.format in _MARKUP_FORMATS or expects_html
    if not may_be_markup and (download.media_type == "text/html" or _is_web_page(download.path)):
        raise SnapshotRejected(f"{url}: a web page in place of data")
    if expect and expect.size_change is not None and last_size and abs(size - last_size) > expect.size_change * last_size:
        raise SnapshotRejected(f"{url}: {size} bytes after {last_size} bytes, a change of more than {expect.size_change:.0%}")


def _is_web_page(content: Path | None) -> bool:
    assert content is not None
    with content.open("rb") as file:
        head = file.read(1024)
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_WEB_PAGES)
