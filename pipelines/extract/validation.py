"""Whether fetched bytes may become a snapshot: not empty, not a web page in place of data, the pinned content, a plausible size.

Readers and contracts check the rows.
"""

from __future__ import annotations

from pipelines.core.errors import Zpo2Error
from pipelines.extract.http.request import Download
from pipelines.packs.schema import FetchedSource
from pipelines.readers import content_kind

_WEB_PAGE_TYPES = {"text/html", "application/xhtml+xml"}


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
    _assert_no_other_content(download, url, source)
    if expect and expect.size_change is not None and last_size and abs(size - last_size) > expect.size_change * last_size:
        raise SnapshotRejected(f"{url}: {size} bytes after {last_size} bytes, a change of more than {expect.size_change:.0%}")


def _assert_no_other_content(download: Download, url: str, source: FetchedSource) -> None:
    """Raise SnapshotRejected with what came, if it is not the declared format: a web page, a message of PHP, an unsupported compression."""
    assert download.path is not None
    with download.path.open("rb") as file:
        head = file.read(content_kind.HEAD_BYTES)
    expected_type = (source.fetch.expect.media_type or "").lower() if source.fetch.expect else ""
    is_member = source.read.member is not None  # the format is that of a file in the archive
    kind = content_kind.unexpected(head, "zip" if is_member else source.read.format)
    if kind:
        raise SnapshotRejected(f"{url}: {kind}")
    if (
        download.media_type in _WEB_PAGE_TYPES
        and expected_type != download.media_type
        and source.read.format not in content_kind.MARKUP_FORMATS
    ):
        if content_kind.is_web_page(head):
            raise SnapshotRejected(f"{url}: a web page in place of data")
        raise SnapshotRejected(
            f"{url}: the server calls this a web page in place of data ({download.media_type}), but it does not look like one: "
            f"{content_kind.shown(head.decode('utf-8', 'replace'))!r}. If these are the data, declare expect: {{media_type: {download.media_type}}}"
        )
