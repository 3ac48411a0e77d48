"""Fetch one source that is declared by its `fetch` block alone, from a server on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult, LastFetch, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.packs.schema import Fetch
from tests.support import five_places

QUICK = Limits(backoff=0, retries=1, read_timeout=2, max_retry_after=5, per_second=10_000, poll_interval=0, poll_timeout=2)


def fetch(folder: Path, declared: dict[str, Any], last: LastFetch | None = None, records: str | None = None) -> FetchResult:
    """Fetch a source with the `fetch` block `declared`; the archive is in `folder`."""
    pack = packs.load(five_places.write(folder / "pack"))
    areas = pack.sources["areas"]
    read = areas.read.model_copy(update={"format": "json", "records": records})
    source = areas.model_copy(update={"fetch": Fetch.model_validate(declared), "read": read})
    part = pack.parts(source)[0]
    request = Request(source, part, address(source, part), last or LastFetch())
    return fetch_all(pack, [request], Archive(folder / "archive"), Settings(allow_hosts="127.0.0.1,localhost"), limits=QUICK)[0]


def content(folder: Path, result: FetchResult) -> bytes:
    """Return the archived bytes. Fails with the error of the result where there are none."""
    assert result.snapshot is not None, result.error
    return Archive(folder / "archive").path(result.snapshot.sha256).read_bytes()
