"""What is to be fetched, and the result. Fetches nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pipelines.core.errors import Zpo2Error
from pipelines.extract.snapshots import Snapshot
from pipelines.packs import Part
from pipelines.packs.schema import FetchedSource


class FetchError(Zpo2Error):
    """Nothing could be fetched; the message names the address and the reason.

    `status` is the server's status code, where it sent one; `retry_after` the seconds it asks to wait.
    """

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True)
class LastFetch:
    """What the last fetch of a part gave: the checksum and size of the bytes, and the headers that make the next request conditional."""

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


@dataclass(frozen=True)
class FetchResult:
    """The result of a request: a snapshot, or the reason why there is none.

    `headers` make the next request conditional; `retry_after` is how many seconds the server asks to wait. `attempted` is false where no
    request was sent, because the last failures are too recent, or because the bytes were `delivered`: dropped into the inbox or pushed.
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


def address(source: FetchedSource, part: Part) -> str:
    """Return the address of a part: each `{variable}` is replaced and escaped as one path segment or query value."""
    return fill_variables(source.fetch.url, part, escape=True)


def fill_variables(text: str, part: Part, *, escape: bool = False) -> str:
    """Return `text` with each `{variable}` replaced by its value for `part`."""
    for name, value in part.variables.items():
        text = text.replace("{" + name + "}", quote(value, safe="") if escape else value)
    return text
