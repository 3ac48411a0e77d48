"""What is remembered of each part of each source between runs: its last fetch, its last good snapshot, since when it is stale. No content."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines.fetch import Answer


@dataclass(frozen=True)
class SourceState:
    """The memory of one part. `sha256` is the newest snapshot, `good` the newest that could be read."""

    sha256: str = ""
    good: str = ""
    bytes: int = 0
    checked_at: str = ""
    changed_at: str = ""
    stale_since: str | None = None
    error: str | None = None

    def as_last(self) -> dict[str, Any]:
        return {"sha256": self.sha256, "bytes": self.bytes}


class States:
    """The memory of all sources, in one file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        stored: dict[str, dict[str, dict[str, Any]]] = durable.read_json(path, {})
        self._states = {s: {p: SourceState(**v) for p, v in parts.items()} for s, parts in stored.items()}

    def get(self, source: str, part: str) -> SourceState:
        return self._states.get(source, {}).get(part, SourceState())

    def put(self, source: str, part: str, state: SourceState) -> None:
        self._states.setdefault(source, {})[part] = state

    def learn(self, answer: Answer, now: str) -> None:
        """Take up the outcome of a fetch. A failure keeps the last snapshot and says since when it is stale."""
        source, part = answer.request.source.id, answer.request.part.name
        state = self.get(source, part)
        if answer.snapshot is None:
            state = replace(state, checked_at=now, error=answer.error, stale_since=state.stale_since or now)
        else:
            changed = now if answer.snapshot.sha256 != state.sha256 else state.changed_at
            state = replace(
                state, sha256=answer.snapshot.sha256, bytes=answer.snapshot.bytes, checked_at=now, changed_at=changed, error=None
            )  # whether it is still stale is known when the bytes have been read
        self.put(source, part, state)

    def of(self, source: str) -> dict[str, SourceState]:
        return self._states.get(source, {})

    def save(self) -> None:
        durable.write_json(self.path, {s: {p: asdict(v) for p, v in parts.items()} for s, parts in self._states.items()})
