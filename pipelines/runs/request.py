"""What a run was asked to do. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipelines.extract.http.request import FetchResult
from pipelines.packs.workspace import Workspace


@dataclass(frozen=True)
class Progress:
    """One step forward, for whoever watches a run: `done` of `total` where the end is known."""

    step: str  # fetch, source, model, gate, release, ...
    name: str
    text: str = ""
    done: int | None = None
    total: int | None = None


def ignore_progress(_progress: Progress) -> None:
    """Watch nothing."""


@dataclass(frozen=True)
class RunRequest:
    """One run of a pack in its workspace.

    `only` names the sources to fetch and process, `part` a variable of their parts with its values. `accepted` maps the names of failed
    checks to the operator's reason for publishing all the same. `fetched` holds the fetch results when the command has fetched already.
    `by_command` says that the `zpo2` command holds the lock and keeps the outcome; otherwise the run does so itself.
    `is_vintage`: the sources are those of an earlier time, so nothing may be fetched.
    """

    workspace: Workspace
    only: tuple[str, ...] | None = None
    part: tuple[str, tuple[str, ...]] | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    fetched: tuple[FetchResult, ...] | None = None
    by_command: bool = False
    is_vintage: bool = False
    report: Callable[[Progress], None] = ignore_progress
