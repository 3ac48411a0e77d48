"""What is to be fetched, and what came of it. Asks nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipelines.extract.snapshots import Snapshot
from pipelines.packs import Part
from pipelines.packs.schema import FetchedSource


class FetchError(Exception):
    """The bytes could not be had; the message says from where and why.

    `status` is the server's status code, where it gave one; `wait` the seconds it asks to be left alone.
    """

    def __init__(self, message: str, status: int | None = None, wait: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


@dataclass(frozen=True)
class Request:
    """One part of one source to fetch, and what is known of its last fetch."""

    source: FetchedSource
    part: Part
    url: str
    last: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a request came to: a snapshot, or the reason why there is none.

    `headers` are those by which the next question is conditional, `wait` the seconds a server asks to be left alone; `asked` is false
    where nobody was asked, because the last failures are too recent, or because the bytes were `brought`: dropped or pushed.
    """

    request: Request
    snapshot: Snapshot | None
    error: str | None = None
    wait: float | None = None
    asked: bool = True
    brought: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """Bytes that came, in a file that lasts as long as the request; `path` is None where the server says nothing has changed."""

    path: Path | None
    sha256: str = ""
    size: int = 0
    final_url: str = ""
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    next_link: str | None = None


def address(source: FetchedSource, part: Part) -> str:
    """Return the address of a part: `{variable}` replaced, as one path segment or query value each."""
    return filled(source.fetch.url, part, escape=True)


def filled(text: str, part: Part, *, escape: bool = False) -> str:
    """Return `text` with the variables of `part` in place of `{variable}`."""
    for name, value in part.variables.items():
        text = text.replace("{" + name + "}", quote(value, safe="") if escape else value)
    return text
