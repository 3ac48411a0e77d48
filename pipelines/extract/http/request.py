"""What is to be fetched, and the result. Fetches nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.core.errors import Zpo2Error
from pipelines.core.fingerprint import digest
from pipelines.core.printable import printable
from pipelines.extract.snapshots import Snapshot
from pipelines.packs import Part
from pipelines.packs.schema import FetchedSource

_MAX_ERROR = 4000  # characters; what a server sent may be in it


class FetchError(Zpo2Error):
    """Nothing could be fetched; the message names the address and the reason. What a server sent is in it without control characters.

    `status` is the server's status code, where it sent one; `retry_after` the seconds it asks to wait.
    """

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(printable(" ".join(message[:_MAX_ERROR].split())))
        self.status = status
        self.retry_after = retry_after


class NotAsked(FetchError):
    """No request was sent: the time of those before it is used up."""


@dataclass(frozen=True)
class LastFetch:
    """What the last fetch of a part gave: the checksum and size of the bytes, and the headers that make the next request conditional.

    Only the answer to the same request counts (`digest`); of another one nothing is known.
    """

    sha256: str = ""
    bytes: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One part of one source to fetch, and what its last fetch gave."""

    source: FetchedSource
    part: Part
    url: str
    last: LastFetch = LastFetch()

    @property
    def digest(self) -> str:
        """The digest of everything that decides what the server answers. A snapshot belongs to the request that it answers."""
        return request_digest(self.source, self.part)

    @property
    def transfer(self) -> str:
        """The digest of everything that decides how the bytes are fetched. Requests with the same one are sent once."""
        fetch = self.source.fetch
        declared = fetch.model_dump(mode="json", exclude={"cadence", "expect", "inbox", "parts", "push", "rate"})
        records = self.source.read.records if fetch.paging is not None else None
        media_type = fetch.expect.media_type if fetch.expect else None
        return digest([self.url, fill_all([declared, records], self.part), media_type])


@dataclass(frozen=True)
class FetchResult:
    """The result of a request: a snapshot, or the reason why there is none.

    `headers` make the next request conditional; `retry_after` is how many seconds the server asks to wait. `attempted` is false where no
    request was sent, because the last failures are too recent or took too long, or because the bytes were `delivered`: dropped into the inbox
    or pushed.
    """

    request: Request
    snapshot: Snapshot | None
    error: str | None = None
    retry_after: float | None = None
    attempted: bool = True
    delivered: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Download:
    """Downloaded bytes, in a file that lasts as long as the request; `path` is None where the server says that nothing has changed."""

    path: Path | None
    sha256: str = ""
    size: int = 0
    final_url: str = ""
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    next_link: str | None = None


def request_digest(source: FetchedSource, part: Part) -> str:
    """Return the digest of what is asked for a part: address, parameters, body, headers, protocol, data set, file and pages."""
    fetch = source.fetch
    asked = fetch.model_dump(mode="json", include={"body", "dataset", "headers", "paging", "params", "protocol", "resource", "split"})
    return digest([address(source, part), fill_all(asked, part)])


def address(source: FetchedSource, part: Part) -> str:
    """Return the address of a part: each `{variable}` is replaced and escaped as one path segment or query value."""
    return part.filled(source.fetch.url, escape=True)


def fill_all(value: Any, part: Part) -> Any:
    """Return `value` with the variables of all texts in it replaced."""
    if isinstance(value, str):
        return part.filled(value)
    if isinstance(value, dict):
        return {key: fill_all(item, part) for key, item in value.items()}
    return [fill_all(item, part) for item in value] if isinstance(value, list) else value
