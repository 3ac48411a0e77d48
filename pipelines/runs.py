"""One run of a pack on its home, without Dagster: what it was asked, what it found, how it ended. The assets fill it, the command reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines import durable
from pipelines.fetch import Answer
from pipelines.home import Home
from pipelines.packs import Pack, digest
from pipelines.settings import PROJECT, Settings
from pipelines.sources import States

CURRENT, FAILED, WRONG, STALE = 0, 1, 2, 3
"""Exit codes: a release is current · the gate failed · the command or the pack is wrong · current, but sources are stale."""


@dataclass(frozen=True)
class Event:
    """Something a person watching would like to see."""

    step: str  # fetch, source, model, check, table, release
    name: str
    text: str = ""
    done: int | None = None
    total: int | None = None


@dataclass
class Run:
    """What one run was asked to do, and what it has found so far."""

    pack: Pack
    home: Home
    settings: Settings
    only: tuple[str, ...] | None = None
    part: tuple[str, tuple[str, ...]] | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    answers: list[Answer] | None = None
    locked: bool = False
    listen: Callable[[Event], None] = lambda _event: None
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    area_warnings: tuple[str, ...] = ()
    stale: dict[str, str] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    release: dict[str, Any] = field(default_factory=dict)
    _held: ExitStack = field(default_factory=ExitStack)

    def hold(self) -> None:
        """Take the home's lock for the rest of the process, unless the command holds it already. Raises Busy."""
        if not self.locked:
            self._held.enter_context(self.home.lock(waiting=lambda text: self.listen(Event("lock", "home", text))))
            self.locked = True

    def let_go(self) -> None:
        self._held.close()

    def exit_code(self) -> int:
        if not self.release:
            return FAILED
        return STALE if self.stale else CURRENT

    def remember(self) -> None:
        """Write down how the run ended, for `status` and for the next run."""
        durable.write_json(self.home.last_run, self.outcome())

    def outcome(self) -> dict[str, Any]:
        return {
            "inputs_key": inputs_key(self.pack, self.home),
            "ended_at": self.settings.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sources": self.counts,
            "errors": self.errors,
            "stale": self.stale,
            "gate": self.verdict,
            "reasons": self.reasons,
            "release": self.release,
            "exit_code": self.exit_code(),
        }


def inputs_key(pack: Pack, home: Home) -> str:
    """Return a hash of everything a release is made from: declarations, snapshots, code and locked versions."""
    states = States(home.fetch_state)
    snapshots = [
        [source.id, part.name, state.sha256, state.good, bool(state.error), state.stale_since]
        for source in pack.sources.values()
        for part in pack.parts(source)
        for state in [states.get(source.id, part.name)]
    ]
    return digest([pack.digest, snapshots, code_digest()])


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return a hash of the project's code, models and locked versions."""
    digest_ = hashlib.sha256()
    folders = [PROJECT / name for name in ("pipelines", "quality", "exports", "dbt_project")]
    files = [PROJECT / "requirements.lock", *(p for folder in folders for p in folder.rglob("*") if p.suffix in (".py", ".sql", ".yml"))]
    for path in sorted(p for p in files if p.is_file()):
        digest_.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes())
    return digest_.hexdigest()


def last_outcome(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = durable.read_json(home.last_run, {})
    return found


def is_unchanged(pack: Pack, home: Home) -> bool:
    """Whether the last run ended with a release of exactly these inputs, and that release is still the current one."""
    last = last_outcome(home)
    if last.get("exit_code") not in (CURRENT, STALE) or last.get("inputs_key") != inputs_key(pack, home):
        return False
    latest = durable.read_json(home.public / "latest.json", {})
    return bool(latest) and latest.get("version") == last["release"].get("version") and (home.public / latest["path"]).is_dir()


def last_release_rows(public: Path) -> dict[str, int]:
    """Return the rows of each table of the current release."""
    latest = durable.read_json(public / "latest.json", {})
    report = durable.read_json(public / latest["path"] / "quality" / "report.json", {}) if latest else {}
    rows: dict[str, int] = report.get("rows", {})
    return rows
