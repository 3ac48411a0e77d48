"""Fetch one source that is declared by its `fetch` block alone, from a server on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer, Request, address
from pipelines.extract.snapshots import Archive
from pipelines.packs.schema import Fetch
from tests.support import five_places

QUICK = Limits(backoff=0, retries=1, silence=2, patience=5, per_second=10_000, poll=0, polling=2)


def ask(folder: Path, declared: dict[str, Any], last: dict[str, Any] | None = None, records: str | None = None) -> Answer:
    """Return what fetching `declared` (a `fetch` block) comes to; the archive lies in `folder`."""
    pack = packs.load(five_places.write(folder / "pack"))
    areas = pack.sources["areas"]
    read = areas.read.model_copy(update={"format": "json", "records": records})
    source = areas.model_copy(update={"fetch": Fetch.model_validate(declared), "read": read})
    part = pack.parts(source)[0]
    request = Request(source, part, address(source, part), last or {})
    return fetch_all(pack, [request], Archive(folder / "archive"), Settings(allow_hosts="127.0.0.1,localhost"), limits=QUICK)[0]


def content(folder: Path, answer: Answer) -> bytes:
    """Return the bytes that were archived. Fails with the answer's error where there are none."""
    assert answer.snapshot is not None, answer.error
    return Archive(folder / "archive").path(answer.snapshot.sha256).read_bytes()
